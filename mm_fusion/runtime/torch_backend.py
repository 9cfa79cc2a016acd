# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The network in torch, from the weights of the bundle: on a GPU that TensorRT cannot use.

The only module of the runtime that knows the network itself, for which the layers make an
exception; it is imported where ``inference.backend`` is ``torch`` and nowhere else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BackendError, BundleError, InferenceError
from mm_fusion.runtime.guard import check_finite, failures_of
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
from mm_fusion.runtime.parity import check_parity

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from torch import nn

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.runtime.bundle import Bundle
    from mm_fusion.settings import InferenceSettings

_META, _AVERAGE = 'mm_fusion', 'average.'
"""Where a checkpoint describes itself, and the prefix of the tensors that are the network."""


def prepare(
    bundle: Bundle,
    settings: InferenceSettings,
    say: Callable[[str], None],
    cancelled: threading.Event,
) -> TorchBackend:
    """Load the network, and compare what it gives with ONNX Runtime.

    Bundles keep weights in half, the graphs have them in float32: what the network may be off by
    is what the manifest says of ``fp16``.

    Args:
        bundle: With weights.
        settings: Threads of ONNX Runtime.
        say: Told what goes on.
        cancelled: Not asked: this takes seconds.

    Raises:
        BackendError: torch is not installed, the bundle has no weights that fit, or the outputs
            are further off than allowed.
        InferenceError: The device failed.
    """
    say('the weights are loaded')
    with failures_of('torch'):
        backend = TorchBackend(bundle)
    say('its outputs are compared with those of ONNX Runtime')
    reference = OnnxRuntimeBackend(bundle, threads=settings.threads, reason='reference')
    check_parity(backend, reference, bundle.manifest, backend.precision)
    return backend


class TorchBackend:
    """Run the network that the weights of a bundle are, on CUDA where there is some.

    Args:
        bundle: With weights.

    Attributes:
        precision: That of the weights on disk; they are used in float32.

    Raises:
        BackendError: torch or safetensors is not installed, or the bundle has no weights that fit.
    """

    concurrent = False

    def __init__(self, bundle: Bundle) -> None:
        try:
            import torch

            from mm_fusion.models.stages import ENCODER_STAGES, FUSION_OUTPUTS, FusionStage
        except ImportError as error:
            raise BackendError(f'torch needs the package {error.name}') from error
        self._torch = torch
        self._device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.name = f'torch-{self._device}'
        where = torch.cuda.get_device_name() if self._device == 'cuda' else 'the CPU'
        self.reason = f'torch {torch.__version__} on {where}'
        network, self.precision = _network(bundle)
        network = network.eval().to(self._device)
        # TF32 would put the outputs of a GPU further off than the parity check lets.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        self._stages: dict[str, tuple[nn.Module, tuple[str, ...], tuple[str, ...]]] = {
            stage: (network.encoders[modality], (taken,), (f'{taken}_embedding',))
            for modality, (stage, taken) in ENCODER_STAGES.items()
        }
        embeddings = tuple(f'{taken}_embedding' for _, taken in ENCODER_STAGES.values())
        self._stages['fusion'] = (
            FusionStage(network),
            (*embeddings, 'presence', 'age_s'),
            tuple(FUSION_OUTPUTS.values()),
        )

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage; see :class:`mm_fusion.runtime.Backend`."""
        torch = self._torch
        module, taken, given = self._stages[stage]
        place = f'{self.name}: {stage}'
        missing = [name for name in taken if name not in inputs]
        if missing:
            raise InferenceError(f'{place}: found no {", ".join(missing)}')
        with failures_of(place), torch.inference_mode():
            tensors = [torch.from_numpy(inputs[name]).to(self._device) for name in taken]
            results = module(*tensors)
            results = results if isinstance(results, tuple) else (results,)
            arrays = [result.float().cpu().numpy() for result in results]
        return check_finite(dict(zip(given, arrays, strict=True)), place)

    def close(self) -> None:
        """Let go of the network."""
        self._stages.clear()


def _network(bundle: Bundle) -> tuple[FusionNetwork, str]:
    """Make the network of the weights of a bundle, and say their precision.

    Raises:
        BackendError: There are none, or they do not fit this version.
    """
    from safetensors.torch import load

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import build_network

    try:
        content = bundle.weights()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], 'little')])
        meta = json.loads(header['__metadata__'][_META])
        network = build_network(NetworkConfig.from_dict(meta['network']), pretrained=False)
        tensors = {
            name[len(_AVERAGE) :]: tensor
            for name, tensor in load(content).items()
            if name.startswith(_AVERAGE)
        }
        network.load_state_dict(tensors)
    except (BundleError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise BackendError(f'{bundle.path}: the weights cannot be used: {error}') from error
    halves = any(tensor.dtype.itemsize == 2 for tensor in tensors.values())
    return network, 'fp16' if halves else 'fp32'
