# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks in torch, for training and export; nothing here is imported at run time."""
