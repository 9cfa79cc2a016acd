#!/bin/sh
# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
#
# Print the interpreter to build the workspace with: the argument if one is given, else the first
# that fits. Fits: CPython 3.10 to 3.13 (what the ROS wheels are made for) with venv and ensurepip.
set -u

problem_of() {
    "$1" - <<'PROBE' 2>/dev/null || echo "it does not run"
import sys
name = "%s %d.%d" % ((sys.implementation.name if sys.version_info[0] > 2 else "Python",) + tuple(sys.version_info[:2]))
if name.split()[0] != "cpython" or not (3, 10) <= tuple(sys.version_info[:2]) <= (3, 13):
    print("it is " + name + ", needed is CPython 3.10 to 3.13")
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("it lacks venv or ensurepip: install them (Debian, Ubuntu: apt install python%d.%d-venv)" % sys.version_info[:2])
PROBE
}

if [ -n "${1:-}" ]; then
    candidates=$1
else
    candidates='python3 python3.13 python3.12 python3.11 python3.10'
fi
reasons=
for candidate in $candidates; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    problem=$(problem_of "$candidate")
    if [ -z "$problem" ]; then
        command -v "$candidate"
        exit 0
    fi
    reasons="$reasons $candidate: $problem;"
done
if [ -z "$reasons" ]; then
    reasons=" none of $candidates is on the PATH: install Python (Debian, Ubuntu: apt install python3 python3-venv python3-dev);"
fi
echo "error: no usable Python:${reasons%;}. Choose one with make PYTHON=/path/to/python3" >&2
exit 1
