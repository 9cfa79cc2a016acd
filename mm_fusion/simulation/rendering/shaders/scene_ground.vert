// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform mat4 turn;   // relative to the eye, map axes -> clip space
uniform vec3 shift;  // from the eye to the origin of the section
in vec3 position;
in vec4 along;
in vec2 mark;
in ivec3 normal;
in uvec4 traits;
in vec4 lights;
out vec3 relative;
out vec4 places;
out vec3 light_shares;
flat out vec2 line;
flat out vec3 base_normal;
flat out ivec2 kinds;

void main() {
    relative = position + shift;
    places = along;
    light_shares = lights.xyz;
    line = mark;
    base_normal = vec3(normal) / 127.0;
    kinds = ivec2(traits.xy);
    gl_Position = turn * vec4(relative, 1.0);
    // What lies upon something else in the same plane wins.
    gl_Position.z -= 3e-6 * float(traits.z) * gl_Position.w;
}
