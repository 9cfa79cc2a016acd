# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion strategies: embeddings of the modalities that are present in, logits and weights out."""
