# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Pages in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def browse(page: Path, profile: Path, width: int) -> dict[str, Any]:
    """Load a page in headless Chromium and read what its probe left in the title."""
    names = ('chromium', 'chromium-browser', 'google-chrome')
    browser = next(path for name in names if (path := shutil.which(name)))
    done = subprocess.run(
        [
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
            '--virtual-time-budget=10000',
            '--dump-dom',
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r'<title>(\{.*?\})</title>', done.stdout, re.DOTALL)
    assert title, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(title[1])
    return found
