# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: samples go in, predictions come out."""

from mm_fusion.pipeline.feature_pipeline import FeaturePipeline, Observation
from mm_fusion.pipeline.fusion_pipeline import FusionPipeline
from mm_fusion.pipeline.network import Network, featurizer_shape
from mm_fusion.pipeline.stopwatch import Stopwatch

__all__ = [
    'FeaturePipeline',
    'FusionPipeline',
    'Network',
    'Observation',
    'Stopwatch',
    'featurizer_shape',
]
