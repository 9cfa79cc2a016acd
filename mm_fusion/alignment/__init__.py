# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera-triggered alignment of the sensors: samples in, snapshots out."""

from mm_fusion.alignment.aligner import Aligner
from mm_fusion.alignment.outbox import AlignmentCounters

__all__ = ['Aligner', 'AlignmentCounters']
