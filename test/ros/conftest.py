# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Importing this lets the message packages load their parser without its warnings."""

from __future__ import annotations

import support.ros_graph  # noqa: F401
