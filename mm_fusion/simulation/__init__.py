# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives made by the project: course, camera, scenery and sound, seeded and free of ROS."""
