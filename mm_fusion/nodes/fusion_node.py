# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion node, a lifecycle node around the pipeline.

Configure reads the parameters, loads the bundle and runs it once; activate subscribes and starts
the inference thread with a pipeline that has seen nothing; deactivate keeps the networks loaded;
cleanup lets them go. An error that is none of the package's own takes the active node through
error processing back to unconfigured, where it can be configured again. Parameters that may change
at once take effect between two predictions; the others are refused while the node is configured.

With ``use_sim_time``, messages that come before the first /clock have no time of arrival; they
are ignored, and diagnostics count them and say so.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, cast

import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import LoggingSeverity

from mm_fusion.errors import MmFusionError
from mm_fusion.messages import AudioAdapter
from mm_fusion.ros.engine import Engine
from mm_fusion.ros.frame_memory import FrameMemory, keep_freed_memory
from mm_fusion.ros.log_bridge import RosLogHandler
from mm_fusion.ros.outputs import Outputs
from mm_fusion.ros.parameters import declare_parameters, read_settings, refusals
from mm_fusion.ros.session import Session, Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.parameter import Parameter

    from mm_fusion.settings import Settings


_GRACE_S = 0.6
"""Time that what is under way has to end after a signal."""
_SIGNAL_POLL_S = 0.05


class FusionNode(LifecycleNode):
    """Turn sensor messages into road states and trajectory predictions.

    Args:
        load: Loads what the settings ask for.
        memory: Takes the memory of camera frames beforehand; None leaves it as it comes.
        **options: Those of ``rclpy.node.Node``.
    """

    def __init__(
        self,
        *,
        load: Callable[[Settings], Engine] = Engine.load,
        memory: FrameMemory | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            'mm_fusion', automatically_declare_parameters_from_overrides=True, **options
        )
        declare_parameters(self)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)
        self._load = load
        self._memory = memory
        self._log_handler = RosLogHandler(self.get_logger())
        self._setup: Setup | None = None
        self._session: Session | None = None
        self._fault: Exception | None = None
        self._faulted = self.create_guard_condition(self._give_up)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, load the bundle and run each stage once."""
        start = time.perf_counter()
        self._log_handler.attach()
        try:
            settings = read_settings(self)
            engine = self._load(settings)
            outputs = Outputs(self, settings)
        except MmFusionError as error:
            self.get_logger().error(f'configure refused: {error}')
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it
            return self._failed('configure', error)
        self._set_log_level(settings)
        self._setup = Setup(engine, AudioAdapter(settings.audio), outputs, self._memory)
        manifest = engine.bundle.manifest
        self.get_logger().info(
            f'bundle {manifest.name} {manifest.version} on {engine.backend.name} '
            f'({engine.backend.reason}), ready in {time.perf_counter() - start:.2f} s'
        )
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to publish, to infer and to listen."""
        setup = cast('Setup', self._setup)  # the state machine lets nothing else activate
        try:
            self._session = Session(self, setup, self._report_fault)
            self._session.start()
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it
            return self._failed('activate', error)
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening, inferring and publishing; the networks stay loaded."""
        if self._fault is not None:
            return self._failed('active', self._fault)
        self._end_session()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything."""
        self.release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything, for good."""
        self.release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything and return to unconfigured."""
        self.release()
        return super().on_error(state)

    def start(self) -> None:
        """Configure and activate, for use without a lifecycle manager."""
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def release(self) -> None:
        """End the inference thread and let go of the networks."""
        self._end_session()
        if self._setup is not None:
            self._setup.engine.close()
            self._setup.outputs.close()
        self._log_handler.detach()
        self._setup = self._fault = None

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _report_fault(self, error: Exception) -> None:
        """Note an error from any thread; the executor acts on it."""
        self._fault = error
        self._faulted.trigger()

    def _give_up(self) -> None:
        if self._session is not None and self._fault is not None:
            self.trigger_deactivate()

    def _failed(self, where: str, error: Exception) -> TransitionCallbackReturn:
        if not self.context.ok():  # a signal came in the middle: that is no defect
            return TransitionCallbackReturn.ERROR
        # rclpy turns an exception in a transition into this return value without a word.
        details = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
        self.get_logger().error(f'{where}: back to unconfigured after a defect:\n{details}')
        return TransitionCallbackReturn.ERROR

    def set_parameters_atomically(
        self, parameter_list: list[Parameter[Any]]
    ) -> SetParametersResult:
        """Set all or none of the parameters; the reason names all that speaks against it.

        rclpy alone ends at the first value that is out of its bounds.
        """
        refused = self._check_parameters(parameter_list)
        return super().set_parameters_atomically(parameter_list) if refused.successful else refused

    def _check_parameters(self, parameters: list[Parameter[Any]]) -> SetParametersResult:
        found = refusals(parameters, configured=self._setup is not None)
        return SetParametersResult(successful=not found, reason='; '.join(found))

    def _apply_parameters(self, parameters: list[Parameter[Any]]) -> None:
        """Let changed parameters take effect; none but those that may do so come here."""
        if self._setup is None:
            return
        settings = read_settings(self)
        self._setup = dataclasses.replace(
            self._setup, engine=dataclasses.replace(self._setup.engine, settings=settings)
        )
        self._set_log_level(settings)
        if self._session is not None:
            self._session.change(settings)

    def _set_log_level(self, settings: Settings) -> None:
        if settings.node.log_level:
            level = LoggingSeverity[settings.node.log_level.upper()]
            self.get_logger().set_level(level)


def load_for_good(settings: Settings) -> Engine:
    """Load what the settings ask for, in a process that has nothing else to do.

    What is loaded then stays: the collector need not walk over it between two frames.
    """
    engine = Engine.load(settings)
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return engine


def _end_in_time(ended: threading.Event) -> None:
    """End the process after a signal, where a slow load or inference would hold it up.

    The system takes back what was held; other participants see the node gone when its lease ends.

    Args:
        ended: Set when the node has let go of everything by itself.
    """
    while rclpy.ok():
        time.sleep(_SIGNAL_POLL_S)
    if not ended.wait(_GRACE_S):
        sys.stderr.write(f'mm_fusion: still busy {_GRACE_S:g} s after the signal, ends here\n')
        sys.stderr.flush()
        os._exit(0)


def main(args: list[str] | None = None) -> None:
    """Run the node until it is interrupted or terminated, and end within a second of that."""
    # rclpy handles the signal as it does SIGTERM. Python's own handler would raise as well, in the
    # middle of whatever runs, and inside of rclpy's extension that becomes some other error.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    memory = FrameMemory() if keep_freed_memory() else None
    node, ended = None, threading.Event()
    try:
        rclpy.init(args=args)
        threading.Thread(
            target=_end_in_time, args=(ended,), name='end-in-time', daemon=True
        ).start()
        node = FusionNode(load=load_for_good, memory=memory)
        if node.get_parameter('node.autostart').value is True:
            node.start()
        if rclpy.ok():  # else a signal came in the middle, and no executor could be made
            rclpy.spin(node)
    except ExternalShutdownException:
        pass
    except Exception:
        # A signal shuts the context down, and whatever is under way then fails in its own way.
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            node.release()
            node.destroy_node()
        rclpy.try_shutdown()
        ended.set()


if __name__ == '__main__':
    main()
