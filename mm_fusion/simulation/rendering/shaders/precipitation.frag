// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform vec3 colour;

in vec2 across;

layout(location = 0) out vec4 radiance;

void main() {
    radiance = vec4(colour, across.y * (1.0 - across.x * across.x));
}
