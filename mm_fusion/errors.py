# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions of the package.

Every error raised on purpose derives from :class:`MmFusionError`, so that a caller can tell a
refused input from a defect::

    MmFusionError
    ├── SettingsError         a parameter is unknown, of a wrong type or out of its bounds
    ├── SampleError           one message or sample cannot be used; carries the drop reason
    ├── BagError              a recording is missing, empty, unreadable or lacks a topic
    ├── BundleError           a model bundle is incomplete, altered or breaks its contract
    ├── BackendError          a backend cannot be had on this machine, or its outputs are refused
    ├── InferenceError        a backend failed while running a stage
    ├── DatasetError          a labelled folder is missing files or has labels that are not classes
    ├── DocumentError         a file is too large, or no YAML as the package reads it
    ├── ScenarioError         a scenario file has unknown keys, or values out of their bounds
    └── RenderError           the camera of the simulator cannot be rendered on this machine

A message says what was found, what was expected, and where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm_fusion.types.sensors import DropReason


class MmFusionError(Exception):
    """Base of every error that the package raises on purpose."""


class SettingsError(MmFusionError):
    """A parameter is unknown, of a wrong type or out of its bounds.

    Args:
        problems: One sentence for each problem; all of them are reported at once.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__('; '.join(problems))


class SampleError(MmFusionError):
    """One message or sample cannot be used.

    Args:
        reason: The name under which the loss is counted and published.
        message: What was found, what was expected, and where.
    """

    def __init__(self, reason: DropReason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class BagError(MmFusionError):
    """A recording is missing, empty, unreadable or lacks a topic."""


class BundleError(MmFusionError):
    """A model bundle is incomplete, altered or breaks its contract."""


class BackendError(MmFusionError):
    """A backend cannot be had on this machine, or its outputs are refused."""


class InferenceError(MmFusionError):
    """A backend failed while running a stage."""


class DatasetError(MmFusionError):
    """A labelled folder is missing files or has labels that are not classes."""


class DocumentError(MmFusionError):
    """A file cannot be read, is too large, or is no YAML as the package reads it."""


class ScenarioError(MmFusionError):
    """A scenario file has unknown keys, or values out of their bounds."""


class RenderError(MmFusionError):
    """The camera of the simulator cannot be rendered on this machine."""
