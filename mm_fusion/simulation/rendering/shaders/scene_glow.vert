// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// The glow around lamps: discs that face the camera.

uniform mat4 turn;
uniform vec3 eye;
in vec2 corner;
in vec4 place;   // instance: from the eye in the plane, height over the ground, radius (m)
in vec4 colour;  // instance: linear RGB; share of the hard core
out vec2 spot;
out vec3 relative;
flat out vec4 tint;

void main() {
    vec3 middle = vec3(place.xy, place.z - eye.z);
    vec3 away = normalize(middle);
    vec3 right = normalize(vec3(away.y, -away.x, 0.0));
    vec3 up = cross(right, away);
    spot = corner;
    tint = colour;
    relative = middle - away * 0.25 + (right * corner.x + up * corner.y) * place.w;
    gl_Position = turn * vec4(relative, 1.0);
}
