# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishers that imitate simulators: topics, types, QoS, rates, frames and faults of each.

The vehicle turns left on a circle. Time goes on only with :meth:`Imitation.tick`, so that nothing
depends on how fast the machine is.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geometry_msgs.msg import Pose, PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, NavSatFix, NavSatStatus
from std_msgs.msg import Float32, Header

from mm_fusion.ros.inputs import message_class
from support.pictures import picture
from support.ros_graph import to_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.ros_graph import Graph

START_NS = 12_000_000_000
"""Simulators begin at zero, not in this century."""

TICK_NS = 50_000_000
SPEED_MPS = 10.0
YAW_RATE_RPS = 0.2
WIDTH, HEIGHT = 64, 48
BLUE_GREEN_RED = (20, 40, 200)
ORIGIN_DEG = (49.0, 8.0)
MGRS_M = (89_637.5, 42_998.25)
_METRES_PER_DEG = 111_320.0

RELIABLE = QoSProfile(depth=10)
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@dataclass(frozen=True)
class Stream:
    """Messages of one topic.

    Attributes:
        topic: Absolute name.
        kind: Message type.
        make: Gives the message of a stamp.
        every: Ticks between two messages.
        qos: What the simulator offers.
    """

    topic: str
    kind: type
    make: Callable[[int], Any]
    every: int
    qos: QoSProfile


class Imitation:
    """Publish what a simulator publishes, one tick of its time after the other.

    Args:
        graph: The graph that it lives in.
        name: Of the simulator.
        streams: Its topics.
        clock: Name of its clock.
        clock_qos: What the simulator offers of it.
        ticks_of_clock: Messages of the clock in each tick.
    """

    def __init__(
        self,
        graph: Graph,
        name: str,
        streams: tuple[Stream, ...],
        *,
        clock: str = '/clock',
        clock_qos: QoSProfile = RELIABLE,
        ticks_of_clock: int = 1,
    ) -> None:
        self.node = graph.add(Node(name, context=graph.context))
        self.now_ns = START_NS
        self.ticks = 0
        self.streams = streams
        self._outlets = [self._open(stream) for stream in streams]
        self._clock = self._open(Stream(clock, Clock, Clock, 1, clock_qos))
        self._ticks_of_clock = ticks_of_clock

    def connected(self, *topics: str) -> bool:
        """Tell whether somebody listens to each of some topics."""
        return all(self.node.count_subscribers(topic) for topic in topics)

    def tick(self) -> list[str]:
        """Publish what is due at the next tick; return the topics."""
        for part in range(1, self._ticks_of_clock + 1):
            now_ns = self.now_ns + part * TICK_NS // self._ticks_of_clock
            self._clock.publish(Clock(clock=to_time(now_ns)))
        self.now_ns += TICK_NS
        published = []
        for stream, outlet in zip(self.streams, self._outlets):
            if self.ticks % stream.every == 0:
                outlet.publish(stream.make(self.now_ns))
                published.append(stream.topic)
        self.ticks += 1
        return published

    def _open(self, stream: Stream) -> Any:
        # What it says by default goes through a deprecated function of rclpy.
        quiet = PublisherEventCallbacks(use_default_callbacks=False)
        return self.node.create_publisher(
            stream.kind, stream.topic, stream.qos, event_callbacks=quiet
        )


def carla(graph: Graph, vehicle: str = 'ego_vehicle', *, with_odometry: bool = True) -> Imitation:
    """Imitate CARLA's ROS bridge in synchronous mode, at 20 Hz throughout.

    A position has neither status nor covariance; the odometry's twist is in the body's frame.
    """
    base = f'/carla/{vehicle}'
    camera = f'{vehicle}/rgb_front'
    objects = message_class('derived_object_msgs/msg/ObjectArray')
    streams = [
        Stream(
            f'{base}/rgb_front/image', Image, lambda ns: image(ns, 'bgra8', camera), 1, RELIABLE
        ),
        Stream(
            f'{base}/rgb_front/camera_info',
            CameraInfo,
            lambda ns: camera_info(ns, camera, WIDTH / 2),
            1,
            RELIABLE,
        ),
        Stream(f'{base}/gnss', NavSatFix, lambda ns: fix(ns, f'{vehicle}/gnss'), 1, RELIABLE),
        Stream(f'{base}/speedometer', Float32, lambda ns: Float32(data=SPEED_MPS), 1, RELIABLE),
        Stream(f'{base}/objects', objects, other_car, 1, RELIABLE),
    ]
    if with_odometry:
        streams.append(
            Stream(
                f'{base}/odometry', Odometry, lambda ns: odometry(ns, 'map', vehicle), 1, RELIABLE
            )
        )
    return Imitation(graph, 'carla_ros_bridge', tuple(streams))


def carla_native(graph: Graph, *, with_odometry: bool) -> Imitation:
    """Imitate CARLA's native interface: latched topics, and a matrix of degrees for radians.

    Args:
        graph: The graph that it lives in.
        with_odometry: Publish the odometry of the change that is pending.
    """
    focal_px = WIDTH / (2.0 * math.tan(90.0) * math.pi / 360.0)
    streams = [
        Stream(
            '/carla/hero/rgb_front/image',
            Image,
            lambda ns: image(ns, 'bgra8', 'rgb_front'),
            1,
            LATCHED,
        ),
        Stream(
            '/carla/hero/rgb_front/camera_info',
            CameraInfo,
            lambda ns: camera_info(ns, 'rgb_front', focal_px),
            1,
            LATCHED,
        ),
        Stream('/carla/hero/gnss', NavSatFix, lambda ns: fix(ns, 'gnss'), 1, LATCHED),
    ]
    if with_odometry:
        streams.append(
            Stream(
                '/carla/hero/odometry', Odometry, lambda ns: odometry(ns, 'odom', 'hero'), 1,
                LATCHED,
            )
        )  # fmt: skip
    return Imitation(graph, 'carla', tuple(streams))


def awsim(graph: Graph, *, clockwise: bool = False) -> Imitation:
    """Imitate AWSIM: camera at 10 Hz and clock at 100 Hz best effort, positions at 1 Hz in MGRS.

    Args:
        graph: The graph that it lives in.
        clockwise: Count turns to the right as positive, as recent versions do.
    """
    report = message_class('autoware_vehicle_msgs/msg/VelocityReport')
    sign = -1.0 if clockwise else 1.0

    def mgrs(now_ns: int) -> Pose:
        return pose(now_ns, MGRS_M)

    def with_covariance(now_ns: int) -> PoseWithCovarianceStamped:
        message = PoseWithCovarianceStamped(header=header(now_ns, 'gnss_link'))
        message.pose.pose = mgrs(now_ns)
        return message

    def velocity(now_ns: int) -> Any:
        return report(
            header=header(now_ns, 'base_link'),
            longitudinal_velocity=SPEED_MPS,
            lateral_velocity=0.0,
            heading_rate=sign * YAW_RATE_RPS,
        )

    camera = '/sensing/camera/traffic_light'
    optical = 'traffic_light_left_camera/camera_optical_link'
    return Imitation(
        graph,
        'AWSIM',
        (
            Stream(
                f'{camera}/image_raw', Image, lambda ns: image(ns, 'bgr8', optical), 2, BEST_EFFORT
            ),
            Stream(
                f'{camera}/camera_info',
                CameraInfo,
                lambda ns: camera_info(ns, optical, WIDTH / 2),
                2,
                BEST_EFFORT,
            ),
            Stream(
                '/sensing/gnss/pose',
                PoseStamped,
                lambda ns: PoseStamped(header=header(ns, 'gnss_link'), pose=mgrs(ns)),
                20,
                RELIABLE,
            ),
            Stream(
                '/sensing/gnss/pose_with_covariance',
                PoseWithCovarianceStamped,
                with_covariance,
                20,
                RELIABLE,
            ),
            # Without a header, as CARLA's interface for Autoware gives it.
            Stream('/sensing/gnss/bare_pose', Pose, mgrs, 20, RELIABLE),
            Stream('/vehicle/status/velocity_status', report, velocity, 1, RELIABLE),
        ),
        clock_qos=BEST_EFFORT,
        ticks_of_clock=5,
    )


def gazebo(graph: Graph, model: str = 'vehicle', clock: str = '/clock') -> Imitation:
    """Imitate Gazebo behind its bridge.

    Frame ids have ``/`` for ``::``, positions have no covariance, and the matrix of the camera is
    that of a default camera of half the size.
    """

    def half_the_size(now_ns: int) -> CameraInfo:
        message = camera_info(now_ns, f'{model}/chassis/camera', 277.0 * WIDTH / 640)
        message.k[2], message.k[5] = WIDTH / 4, HEIGHT / 4
        return message

    def navsat(now_ns: int) -> NavSatFix:
        message = fix(now_ns, f'{model}/chassis/navsat')
        message.status.status = NavSatStatus.STATUS_FIX
        return message

    return Imitation(
        graph,
        'ros_gz_bridge',
        (
            Stream(
                '/camera',
                Image,
                lambda ns: image(ns, 'rgb8', f'{model}/chassis/camera'),
                1,
                RELIABLE,
            ),
            Stream('/camera_info', CameraInfo, half_the_size, 1, RELIABLE),
            Stream('/navsat', NavSatFix, navsat, 4, RELIABLE),
            Stream(
                f'/model/{model}/odometry',
                Odometry,
                lambda ns: odometry(ns, f'{model}/odom', f'{model}/chassis'),
                1,
                RELIABLE,
            ),
        ),
        clock=clock,
    )


def header(now_ns: int, frame_id: str) -> Header:
    return Header(stamp=to_time(now_ns), frame_id=frame_id)


def image(now_ns: int, encoding: str, frame_id: str) -> Image:
    """Make a picture of shades of one colour, with an alpha of 0 where there is one."""
    channels = {'bgr8': BLUE_GREEN_RED, 'bgra8': (*BLUE_GREEN_RED, 0)}
    colour = channels.get(encoding, BLUE_GREEN_RED[::-1])
    pixels = picture(HEIGHT, WIDTH, colour, now_ns, block=8)
    return Image(
        header=header(now_ns, frame_id),
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        step=WIDTH * len(colour),
        data=array('B', pixels.tobytes()),
    )


def camera_info(now_ns: int, frame_id: str, focal_px: float) -> CameraInfo:
    return CameraInfo(
        header=header(now_ns, frame_id),
        height=HEIGHT,
        width=WIDTH,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[focal_px, 0.0, WIDTH / 2, 0.0, focal_px, HEIGHT / 2, 0.0, 0.0, 1.0],
    )


def place(now_ns: int) -> tuple[float, float, float]:
    """Give x and y, in metres from the start, and the heading of the vehicle."""
    heading = YAW_RATE_RPS * (now_ns - START_NS) / 1e9
    radius = SPEED_MPS / YAW_RATE_RPS
    return radius * math.sin(heading), radius * (1 - math.cos(heading)), heading


def fix(now_ns: int, frame_id: str) -> NavSatFix:
    """Make a position with no more set than the coordinates."""
    x, y, _ = place(now_ns)
    latitude, longitude = ORIGIN_DEG
    return NavSatFix(
        header=header(now_ns, frame_id),
        latitude=latitude + y / _METRES_PER_DEG,
        longitude=longitude + x / _METRES_PER_DEG / math.cos(math.radians(latitude)),
        altitude=110.0,
    )


def pose(now_ns: int, origin: tuple[float, float] = (0.0, 0.0)) -> Pose:
    x, y, heading = place(now_ns)
    made = Pose()
    made.position.x, made.position.y = origin[0] + x, origin[1] + y
    made.orientation.z, made.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
    return made


def odometry(now_ns: int, frame_id: str, child_frame_id: str) -> Odometry:
    """Make odometry whose twist is in the child's frame, with all covariances unset."""
    message = Odometry(header=header(now_ns, frame_id), child_frame_id=child_frame_id)
    message.pose.pose = pose(now_ns)
    message.twist.twist.linear.x = SPEED_MPS
    message.twist.twist.angular.z = YAW_RATE_RPS
    return message


def other_car(now_ns: int) -> Any:
    """Make a list of objects with a car that stands beside the road."""
    kind: Any = message_class('derived_object_msgs/msg/Object')
    car = kind(header=header(now_ns, 'map'), id=7, object_classified=True)
    car.classification = kind.CLASSIFICATION_CAR
    car.pose.position.x, car.pose.position.y = 30.0, 8.0
    array_kind = message_class('derived_object_msgs/msg/ObjectArray')
    return array_kind(header=header(now_ns, 'map'), objects=[car])
