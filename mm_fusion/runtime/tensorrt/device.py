# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The GPU, asked for before anything of TensorRT is made."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from typing import Any

from mm_fusion.errors import BackendError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """The GPU and the two modules that speak to it.

    Attributes:
        trt: The module ``tensorrt``.
        torch: The module ``torch``.
        logger: What TensorRT writes its messages to: Python's logging.
        index: Of the GPU, as CUDA counts.
        name: Of the GPU.
        compute_capability: Of the GPU, as in ``8.7``.
        cuda_version: That torch was built with.
        tensorrt_version: Of the module.
    """

    trt: Any
    torch: Any
    logger: Any
    index: int
    name: str
    compute_capability: str
    cuda_version: str
    tensorrt_version: str

    @classmethod
    def open(cls) -> Device:
        """Ask for CUDA, then import TensorRT.

        Without a driver TensorRT 10 raises and TensorRT 11 ends the process as soon as one of its
        objects is used, so that none but the logger is made before CUDA has answered.

        Raises:
            BackendError: TensorRT or torch is not installed, or there is no GPU that CUDA sees.
        """
        for package in ('tensorrt', 'torch'):
            if importlib.util.find_spec(package) is None:
                raise BackendError(f'TensorRT needs the package {package}, which is not installed')
        torch = _import('torch')
        if not torch.cuda.is_available():
            raise BackendError('TensorRT needs an NVIDIA GPU, and CUDA (torch) sees none')
        trt = _import('tensorrt')
        index = torch.cuda.current_device()
        return cls(
            trt=trt,
            torch=torch,
            logger=_logger(trt),
            index=index,
            name=torch.cuda.get_device_name(index),
            compute_capability='.'.join(map(str, torch.cuda.get_device_capability(index))),
            cuda_version=str(torch.version.cuda),
            tensorrt_version=str(trt.__version__),
        )


def _import(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except Exception as error:  # a broken installation raises what it likes, OSError for instance
        raise BackendError(f'the package {package} cannot be imported: {error}') from error


def _logger(trt: Any) -> Any:
    severity = trt.ILogger.Severity
    levels = {
        severity.INTERNAL_ERROR: logging.ERROR,
        severity.ERROR: logging.ERROR,
        severity.WARNING: logging.WARNING,
        severity.INFO: logging.DEBUG,
        severity.VERBOSE: logging.DEBUG,
    }

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the base is C++: it must be called by name

        def log(self, severity: Any, msg: str) -> None:
            _LOG.log(levels[severity], '%s', msg)

    return Logger()
