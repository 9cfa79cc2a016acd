// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Drops and flakes in a box that wraps around the eye, drawn as far as they move while exposed.

uniform mat4 view_projection;
uniform vec3 eye;
uniform vec3 velocity;
uniform vec3 fall;
uniform float swirl, thickness, exposure, opacity, box, time;
uniform vec2 pixel;

in vec2 corner;
in vec4 seed;

out vec3 across;  // place in the streak, opacity

void main() {
    vec3 ahead = vec3(view_projection[0][3], view_projection[1][3], view_projection[2][3]);
    vec3 middle = eye + ahead * (0.45 * box);
    vec3 drift = fall * (0.8 + 0.4 * seed.w);
    vec3 place = seed.xyz * box + drift * time;
    place += swirl * vec3(sin(time * 2.1 + 40.0 * seed.w), cos(time * 1.7 + 31.0 * seed.x), 0.0);
    place = mod(place - middle, box) - 0.5 * box + middle;
    vec3 streak = (drift - velocity) * (0.5 * exposure);
    vec4 head = view_projection * vec4(place + streak, 1.0);
    vec4 tail = view_projection * vec4(place - streak, 1.0);
    float nearest = min(head.w, tail.w);
    vec2 along = (head.xy / head.w - tail.xy / tail.w) / pixel;
    float length_px = length(along);
    vec2 direction = length_px > 0.01 ? along / length_px : vec2(0.0, 1.0);
    // A column of the matrix holds the focal length; its norm survives every rotation.
    float focal = length(vec3(view_projection[0][0], view_projection[1][0], view_projection[2][0]));
    float radius = 0.5 * thickness * (0.6 + 0.8 * seed.w) * focal / (max(nearest, 0.1) * pixel.x);
    float drawn = max(radius, 0.7);
    vec4 end = corner.y > 0.0 ? head : tail;
    vec2 offset = (vec2(-direction.y, direction.x) * corner.x + direction * corner.y) * drawn;
    gl_Position = nearest < 0.5 ? vec4(2.0, 2.0, 2.0, 1.0)
                                : end + vec4(offset * pixel * end.w, 0.0, 0.0);
    float spread = radius / drawn * min(1.0, 2.0 * drawn / max(length_px, 0.1) + 0.35);
    float edge = 1.0 - smoothstep(0.35 * box, 0.5 * box, length(place - middle));
    across = vec3(corner, opacity * spread * edge * smoothstep(0.5, 1.2, nearest));
}
