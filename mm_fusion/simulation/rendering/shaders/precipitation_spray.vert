// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Puffs of spray, turned to the eye.

uniform mat4 view_projection;
uniform vec3 eye;

in vec2 corner;
in vec3 middle;
in vec2 extent;  // radius m, opacity

out vec3 across;

void main() {
    vec3 view = normalize(middle - eye);
    vec3 right = normalize(vec3(view.y, -view.x, 1e-6));
    vec3 place = middle + extent.x * (corner.x * right + corner.y * vec3(0.0, 0.0, 0.8));
    gl_Position = view_projection * vec4(place, 1.0);
    across = vec3(corner, extent.y * smoothstep(1.5, 4.0, length(middle - eye)));
}
