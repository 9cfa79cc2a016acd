# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Pages in a real browser."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 120.0


def _command(profile: Path, width: int, *arguments: str) -> list[str]:
    names = ('chromium', 'chromium-browser', 'google-chrome')
    browser = next(path for name in names if (path := shutil.which(name)))
    return [
        browser,
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        f'--user-data-dir={profile}',
        f'--window-size={width},900',
        *arguments,
    ]


def browse(page: Path, profile: Path, width: int) -> dict[str, Any]:
    """Load a page in headless Chromium and read what its probe left in the title."""
    done = subprocess.run(
        _command(profile, width, '--virtual-time-budget=10000', '--dump-dom', page.as_uri()),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    title = re.search(r'<title>(\{.*?\})</title>', done.stdout, re.DOTALL)
    assert title, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(title[1])
    return found


def browse_until_told(page: str, profile: Path, width: int) -> dict[str, Any]:
    """Load a page in headless Chromium and wait for what its probe posts to ``/seen``.

    For what takes real time, such as decoding a video, which the virtual time of ``browse`` would
    run ahead of.
    """
    told: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(page.encode())

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
            self._answer(b'')

        def log_message(self, *_: Any) -> None:
            """Keep the output of the tests clean."""

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header('Content-Type', 'text/html; charset=utf-8')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}/'
        # A port for its tools keeps headless Chromium open after the page has loaded.
        browser = subprocess.Popen(
            _command(profile, width, '--remote-debugging-port=0', address),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return told.get(timeout=TIMEOUT_S)
        finally:
            browser.kill()
            browser.wait()
            server.shutdown()
