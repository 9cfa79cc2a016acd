# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``doctor`` says of the machine: packages, backend, transport of large messages."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mm_fusion import __version__
from mm_fusion.cli.findings import Finding, Severity
from mm_fusion.documents import read_text
from mm_fusion.errors import DocumentError, MmFusionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mm_fusion.settings import InferenceSettings

_LONGEST_PROFILE = 1_000_000
_NEEDED = {
    'numpy': 'numpy',
    'opencv': 'cv2',
    'onnxruntime': 'onnxruntime',
    'rosbags': 'rosbags',
    'pymap3d': 'pymap3d',
    'PyYAML': 'yaml',
}
_OPTIONAL = {
    'tensorrt': 'inference on an NVIDIA GPU',
    'torch': 'training and the torch backend',
    'moderngl': "the simulator's camera",
}
_MESSAGES = {
    'mm_fusion_msgs': 'the outputs',
    'audio_common_msgs': 'AudioDataStamped and AudioInfo',
    'autoware_vehicle_msgs': 'VelocityReport',
}
DEFAULT_SEGMENT = 512 * 1024
"""Shared memory of one process with Fast DDS' own settings, bytes."""

PROFILE_NAMES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
_OLD_NAME_DISTRIBUTIONS = ('humble', 'jazzy')


@dataclass(frozen=True, slots=True)
class Transport:
    """How large messages may be that go through shared memory.

    Attributes:
        source: The profile, or that there is none.
        segment_bytes: Shared memory of one process.
        problem: Why the profile cannot be read; empty where it can, or there is none.
    """

    source: str
    segment_bytes: int
    problem: str = ''


def package_findings() -> Iterator[Finding]:
    """Name what is installed, and what is missing."""
    yield Finding('mm_fusion', Severity.OK, f'{__version__} on Python {platform.python_version()}')
    present = {name: _version(module) for name, module in _NEEDED.items()}
    missing = [name for name, version in present.items() if version is None]
    told = ', '.join(f'{name} {version}' for name, version in present.items() if version)
    if missing:
        advice = 'install what requirements/base.txt names, or run rosdep install'
        fact = f'missing: {", ".join(missing)}'
        yield Finding('packages', Severity.ERROR, fact, advice)
    yield Finding('packages', Severity.OK, told)
    for name, use in _OPTIONAL.items():
        version = _version(name)
        fact = f'not installed: needed for {use} alone' if version is None else f'{version}: {use}'
        yield Finding(name, Severity.OK, fact)


def ros_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say which ROS there is, and which messages can be read."""
    distribution = environment.get('ROS_DISTRO', '')
    if importlib.util.find_spec('rclpy') is None:
        yield Finding(
            'ROS',
            Severity.WARNING,
            'rclpy cannot be imported: the node does not run, topics are not looked at',
            'source the setup.bash of your ROS 2 and of the workspace, or go through tools/run',
        )
        return
    yield Finding('ROS', Severity.OK, f'{distribution or "distribution not named"}, rclpy found')
    for package, use in _MESSAGES.items():
        found = importlib.util.find_spec(package)
        # A folder of that name in the working directory is no package.
        if found is not None and found.origin is not None:
            yield Finding(package, Severity.OK, f'installed: {use}')
        elif package == 'mm_fusion_msgs':
            advice = 'build mm_fusion_msgs with colcon and source its install/setup.bash'
            yield Finding(package, Severity.ERROR, f'not installed: {use}', advice)
        else:
            yield Finding(package, Severity.OK, f'not installed: needed for {use} alone')


def backend_findings(settings: InferenceSettings) -> Iterator[Finding]:
    """Load the bundle, and say what would run it and why; nothing is built for it."""
    from mm_fusion.runtime import Bundle, create_backend

    try:
        bundle = Bundle.load(settings.bundle)
    except MmFusionError as error:
        advice = 'set inference.bundle to "base", or to the folder of a bundle'
        yield Finding('bundle', Severity.ERROR, str(error), advice)
        return
    manifest = bundle.manifest
    yield Finding('bundle', Severity.OK, f'{manifest.name} {manifest.version}, checksums hold')
    try:
        backend = create_backend(bundle, settings, wait=False)
    except MmFusionError as error:
        advice = 'set inference.backend to "auto" and inference.precision to "fp32"'
        yield Finding('backend', Severity.ERROR, str(error), advice)
        return
    try:
        yield Finding('backend', Severity.OK, f'{backend.name}: {backend.reason}')
    finally:
        backend.close()


def transport_of(environment: Mapping[str, str]) -> Transport:
    """Read the Fast DDS profile that is in force."""
    old = environment.get('ROS_DISTRO') in _OLD_NAME_DISTRIBUTIONS
    names = PROFILE_NAMES[1:] if old else PROFILE_NAMES
    name = next((name for name in names if environment.get(name)), None)
    if name is None:
        return Transport('no profile', DEFAULT_SEGMENT)
    path = Path(environment[name])
    try:
        profile = read_text(path, _LONGEST_PROFILE)
    except DocumentError as error:
        return Transport(f'{name}={path.name}', DEFAULT_SEGMENT, str(error))
    if not re.search(r'</(dds|profiles)>\s*$', profile):
        problem = f'{path}: found no end of a Fast DDS profile, expected </dds> or </profiles>'
        return Transport(f'{name}={path.name}', DEFAULT_SEGMENT, problem)
    # No parser of XML: those of the standard library expand entities without bound.
    plain = re.sub(r'<!--.*?-->', '', profile, flags=re.DOTALL)
    sizes = [int(size) for size in re.findall(r'<segment_size>\s*(\d{1,12})\s*<', plain)]
    return Transport(f'{name}={path.name}', max(sizes, default=DEFAULT_SEGMENT))


def transport_findings(transport: Transport, free_bytes: int | None) -> Iterator[Finding]:
    """Say how much shared memory messages have.

    Args:
        transport: The profile in force in this shell; that of other processes nobody can see.
        free_bytes: Of /dev/shm; None where there is none.
    """
    subject = 'shared memory'
    if transport.problem:
        advice = 'correct the path: Fast DDS goes on with its own settings'
        yield Finding(subject, Severity.ERROR, transport.problem, advice)
    fact = f'{transport.segment_bytes / 2**20:.3g} MiB a process ({transport.source})'
    if transport.segment_bytes <= DEFAULT_SEGMENT:
        yield Finding(
            subject,
            Severity.WARNING,
            f'{fact}: less than one uncompressed camera frame',
            f'export {_profile_name()}=<prefix>/share/mm_fusion/config/fastdds_large_images.xml '
            'for the camera driver as well as for the node; the launch files do so for the node',
        )
    elif free_bytes is not None and free_bytes < transport.segment_bytes:
        yield Finding(
            subject,
            Severity.WARNING,
            f'{fact}, but /dev/shm has {free_bytes / 2**20:.0f} MiB left',
            'give /dev/shm more room (docker run --shm-size=1g), or lower segment_size',
        )
    else:
        yield Finding(subject, Severity.OK, fact)


def free_shared_memory() -> int | None:
    """Give what /dev/shm has left, bytes; None where there is none."""
    try:
        found = os.statvfs('/dev/shm')  # noqa: S108 - that is where it is
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _profile_name() -> str:
    return PROFILE_NAMES[os.environ.get('ROS_DISTRO') in _OLD_NAME_DISTRIBUTIONS]


def _version(module: str) -> str | None:
    """Give the version of a module; None where it is not installed."""
    if importlib.util.find_spec(module) is None:
        return None
    names = importlib.metadata.packages_distributions().get(module)
    # Of apt's packages, some have no such record.
    return importlib.metadata.version(names[0]) if names else 'installed'
