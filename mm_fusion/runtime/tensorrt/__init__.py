# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT 10.3 and newer, 11 included, on an NVIDIA GPU.

Nothing here is imported before TensorRT is asked for, and neither TensorRT nor torch, which
gives the buffers, the stream and the CUDA graphs, is imported before the functions that need them.
"""
