# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From torch to a bundle: ONNX graphs whose outputs are checked, and the manifest."""
