# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side: parameters, QoS, subscriptions, records to messages, diagnostics."""
