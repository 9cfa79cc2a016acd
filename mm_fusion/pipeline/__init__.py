# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: samples go in, predictions come out."""

from mm_fusion.pipeline.fusion_pipeline import FusionPipeline
from mm_fusion.pipeline.network import Network, Stopwatch, featurizer_shape

__all__ = ['FusionPipeline', 'Network', 'Stopwatch', 'featurizer_shape']
