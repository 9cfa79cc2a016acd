# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of everything that reads bytes from outside."""
