// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Drops and flakes in a box that wraps around the eye.

uniform mat4 view_projection;
uniform vec3 eye;
uniform vec3 velocity;
uniform float box;
uniform float time;

in vec2 corner;
in vec4 seed;

out vec2 across;

void main() {
    vec3 fall = vec3(0.0, 0.0, -6.0);
    vec3 place = mod(seed.xyz * box + fall * time - eye, box) - 0.5 * box + eye;
    vec4 head = view_projection * vec4(place, 1.0);
    vec4 tail = view_projection * vec4(place - (fall - velocity) * 0.01, 1.0);
    vec4 end = corner.x > 0.5 ? tail : head;
    gl_Position = end + vec4(corner.y * 0.002, 0.0, 0.0, 0.0);
    across = vec2(corner.y, 0.2);
}
