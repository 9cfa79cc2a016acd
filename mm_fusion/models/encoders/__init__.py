# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Encoders: one sensor in, one embedding out; preprocessing is part of the graph."""
