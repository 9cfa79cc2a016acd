# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from std_msgs.msg import Float32

from mm_fusion.messages import ROLE_TYPES
from mm_fusion.ros.inputs import MODALITIES, message_class
from mm_fusion.settings import parameter_specs

pytestmark = pytest.mark.ros


def test_a_message_class_is_found_by_its_name() -> None:
    assert message_class('std_msgs/msg/Float32') is Float32


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ImportError, match='package not_there_msgs is not installed'):
        message_class('not_there_msgs/msg/Thing')


def test_a_message_that_its_package_lacks_is_named() -> None:
    with pytest.raises(ImportError, match='package std_msgs has none such'):
        message_class('std_msgs/msg/Thing')


def test_the_types_to_choose_from_are_those_that_can_be_read() -> None:
    specs = {spec.name: spec for spec in parameter_specs()}
    for role, modality in MODALITIES.items():
        choices = specs[f'node.{role}_type'].choices
        assert choices == ('auto', *ROLE_TYPES[modality])


def test_every_input_has_a_topic_and_a_type_parameter() -> None:
    names = {spec.name for spec in parameter_specs() if spec.name.endswith('_type')}
    assert names == {f'node.{role}_type' for role in MODALITIES}
