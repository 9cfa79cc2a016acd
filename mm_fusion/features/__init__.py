# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a snapshot to the inputs of the network, as numpy arrays."""

from mm_fusion.features.featurizer import Featurizer, FeaturizerShape

__all__ = ['Featurizer', 'FeaturizerShape']
