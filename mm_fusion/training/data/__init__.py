# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Training data: sources of samples, how they are split, and the batches made of them."""
