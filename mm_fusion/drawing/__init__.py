# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of what is predicted, for the video of an evaluation and for ``~/debug_image``."""
