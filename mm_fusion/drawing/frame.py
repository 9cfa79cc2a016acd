# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera frame as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.errors import SampleError
from mm_fusion.features.images import encoded_size, network_image
from mm_fusion.types.sensors import CompressedImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import ImageSample


def decoded(image: ImageSample) -> NDArray[np.uint8] | None:
    """Decode a frame at its own size: uint8 (h, w, 3), RGB; None where that is impossible."""
    size = (
        encoded_size(image)
        if isinstance(image, CompressedImage)
        else (image.pixels.shape[0], image.pixels.shape[1])
    )
    if size is None:
        return None
    try:
        return network_image(image, *size)
    except SampleError:
        return None
