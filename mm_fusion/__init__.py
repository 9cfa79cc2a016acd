# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Multi-modal sensor fusion for automated driving."""

from __future__ import annotations

__version__ = '0.1.0'
