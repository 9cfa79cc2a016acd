# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Offline evaluation: a map over recordings, a small reduction, and a page to look at."""
