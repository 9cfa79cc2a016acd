# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: tensors in safetensors format, and what they are as JSON in the same file.

A file replaces the one before it only when it lies on the disk as a whole, so that an
interruption or a full disk leaves the last good one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from mm_fusion.documents import read_bytes
from mm_fusion.errors import DatasetError, DocumentError
from mm_fusion.labels import SURFACE_CLASSES
from mm_fusion.models.config import NetworkConfig
from mm_fusion.models.network import FusionNetwork, build_network
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.bundle import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

LAST, BEST = 'last.safetensors', 'best.safetensors'
CALIBRATION, METRICS, RUN = 'calibration.json', 'metrics.json', 'run.json'
AVERAGE = 'average.'
"""Prefix of the tensors that are the network to use; other prefixes serve resuming."""
_META = 'mm_fusion'
_MARKS = 'done'
_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What a training goes on from.

    Attributes:
        network: Its weights, in evaluation mode.
        calibration: As in ``calibration.json``, for what the new data cannot calibrate; None
            where it never was.
        name: Of the checkpoint or bundle.
    """

    network: FusionNetwork
    calibration: dict[str, Any] | None
    name: str


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint so that the file is whole, or the one before stays.

    Args:
        path: File to make or to replace.
        tensors: By name.
        meta: JSON; format and class lists are added.

    Raises:
        DatasetError: It cannot be written, as when the disk is full; the last one stays.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(plain, checkpoint_meta(meta)))


def checkpoint_meta(meta: Mapping[str, Any]) -> dict[str, str]:
    """Put format and class lists to what a checkpoint says of itself, as safetensors takes it."""
    described = {**meta, 'format': _FORMAT, 'classes': class_lists()}
    return {_META: json.dumps(described, sort_keys=True)}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is whole, or the one before stays.

    Raises:
        DatasetError: It cannot be written.
    """
    partial = path.with_name(path.name + '.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        kept = f'; the last good {path.name} is kept' if path.exists() else ''
        reason = 'the disk is full' if error.errno == errno.ENOSPC else error.strerror
        raise DatasetError(f'{path}: cannot write {len(content)} bytes: {reason}{kept}') from error


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Returns:
        Tensors by name, and what they are.

    Raises:
        DatasetError: It cannot be read, is none of this package, or was made with other class
            lists than those of this version.
    """
    try:
        content = read_bytes(path, MAX_FILE_BYTES)
    except DocumentError as error:
        raise DatasetError(str(error)) from error
    return parse_checkpoint(content, str(path))


def parse_checkpoint(content: bytes, source: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Decode what ``load_checkpoint`` reads; ``source`` is named in errors."""
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], 'little')])
        meta = json.loads(header.get('__metadata__', {}).get(_META, '{}'))
    except (SafetensorError, ValueError) as error:
        raise DatasetError(f'{source}: cannot be read as a checkpoint: {error}') from error
    found = meta.get('format') if isinstance(meta, dict) else meta
    if found != _FORMAT:
        raise DatasetError(f'{source}: found checkpoint format {found}, expected {_FORMAT}')
    check_classes(meta.get('classes'), source)
    return tensors, meta


def check_classes(found: object, source: str) -> None:
    """Refuse class lists that are not those of this version, task by task.

    Raises:
        DatasetError: They differ.
    """
    for task, classes in class_lists().items():
        other = found.get(task) if isinstance(found, dict) else None
        if other != classes:
            raise DatasetError(
                f'{source}: found {task} classes {other}, expected {classes}; what was trained '
                'on other classes cannot be gone on from'
            )


def class_lists() -> dict[str, list[str]]:
    """List the classes of each task."""
    return {task: list(classes) for task, classes in SURFACE_CLASSES.items()}


def load_network(path: Path) -> tuple[FusionNetwork, dict[str, Any]]:
    """Make the network of a checkpoint.

    Returns:
        The network in evaluation mode, and what the checkpoint says of itself.

    Raises:
        DatasetError: The file cannot be used.
    """
    tensors, meta = load_checkpoint(path)
    return _network(tensors, meta, str(path)), meta


def _network(tensors: Mapping[str, Tensor], meta: Mapping[str, Any], source: str) -> FusionNetwork:
    config = NetworkConfig.from_dict(meta.get('network') or {})
    network = build_network(config, pretrained=False)
    restore(network, tensors, AVERAGE, source)
    return network.eval()


def replace_best(path: Path, network: FusionNetwork, mark: str = '') -> None:
    """Put weights that a later stage gave in the place of others, unless they are there already.

    Args:
        path: The best checkpoint of a run, which keeps the rest of what it says of itself.
        network: Gives the weights.
        mark: Name of what has been done now, for ``is_marked``.

    Raises:
        DatasetError: It cannot be read or written.
    """
    found, meta = load_checkpoint(path)
    tensors = {AVERAGE + name: value for name, value in network.state_dict().items()}
    same = all(torch.equal(found[name], value.cpu()) for name, value in tensors.items())
    if not same or (mark and mark not in meta.get(_MARKS, [])):
        marks = [*meta.get(_MARKS, []), *([mark] if mark else [])]
        save_checkpoint(path, tensors, {**meta, _MARKS: marks})


def is_marked(path: Path, mark: str) -> bool:
    """Tell whether a checkpoint says that something has been done.

    Raises:
        DatasetError: It cannot be read.
    """
    return mark in load_checkpoint(path)[1].get(_MARKS, [])


def restore(module: Any, tensors: Mapping[str, Tensor], prefix: str, source: str) -> None:
    """Load the tensors with a prefix into a module, in the module's precision.

    Raises:
        DatasetError: One is missing, too many, or of another shape.
    """
    state = {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        text = ' '.join(str(error).split())[:400]
        raise DatasetError(f'{source}: does not fit the network: {text}') from error


def load_start(name_or_path: str) -> Start:
    """Load the network that ``--from`` names.

    Args:
        name_or_path: A checkpoint, the folder of a run, or a bundle by name or folder.

    Raises:
        DatasetError: There is no such thing, or it does not fit this version.
        BundleError: The bundle is incomplete or altered, or has no weights.
    """
    path = Path(name_or_path)
    folder = path if path.is_dir() else path.parent
    file = path / BEST if path.is_dir() else path
    if file.is_file():
        network, _ = load_network(file)
        calibration = folder / CALIBRATION
        known = json.loads(calibration.read_text('utf-8')) if calibration.is_file() else None
        return Start(network, known, path.name)
    if path.is_dir() and not (path / 'manifest.json').exists():
        raise DatasetError(f'{path}: found neither {BEST} of a run nor manifest.json of a bundle')
    bundle = Bundle.load(name_or_path)
    tensors, meta = parse_checkpoint(bundle.weights(), f'{bundle.path}: weights')
    known = bundle.manifest.calibration
    return Start(
        _network(tensors, meta, f'{bundle.path}: weights'),
        {
            'temperatures': dict(known.temperatures),
            'offsets': {task: list(values) for task, values in known.offsets.items()},
            'siren_threshold': known.siren_threshold,
            'central_mode': {'share': known.central_mode_share},
            'trajectory': {
                'times_s': list(known.horizon_s),
                'covariance_scales': list(known.covariance_scales),
                'source': f'bundle {bundle.manifest.name}',
            },
            'friction_coefficient_std_scale': known.friction_coefficient_std_scale,
        },
        f'bundle {bundle.manifest.name} {bundle.manifest.version}',
    )


def git_state() -> dict[str, Any]:
    """Name the commit that the code is of, and whether it was changed since.

    Returns:
        ``commit``, 'unknown' outside a repository, and ``changed``, None there.
    """
    folder = Path(__file__).resolve().parent
    git = shutil.which('git')
    if git is not None:
        commands = (['rev-parse', 'HEAD'], ['status', '--porcelain', '--', str(folder.parent)])
        found = [
            subprocess.run(
                [git, '-C', str(folder), *words], capture_output=True, text=True, check=False
            )
            for words in commands
        ]
        if all(result.returncode == 0 for result in found):
            return {'commit': found[0].stdout.strip(), 'changed': bool(found[1].stdout.strip())}
    return {'commit': 'unknown', 'changed': None}
