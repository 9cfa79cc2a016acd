# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Model bundles, and the backends that run them."""

from mm_fusion.runtime.backend import Backend, create_backend
from mm_fusion.runtime.bundle import Bundle

__all__ = ['Backend', 'Bundle', 'create_backend']
