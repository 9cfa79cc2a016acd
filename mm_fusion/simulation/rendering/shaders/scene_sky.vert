// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform mat4 unturn;  // clip space -> directions in the map frame
in vec2 corner;
out vec3 direction;

void main() {
    vec4 far = unturn * vec4(corner, 1.0, 1.0);
    direction = far.xyz / far.w;
    gl_Position = vec4(corner, 1.0, 1.0);
}
