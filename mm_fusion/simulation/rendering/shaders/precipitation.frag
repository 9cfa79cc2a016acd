// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform vec3 colour;

in vec3 across;  // place in [-1, 1]², opacity in the middle

layout(location = 0) out vec4 radiance;

void main() {
    float soft = max(1.0 - dot(across.xy, across.xy), 0.0);
    radiance = vec4(colour, across.z * soft);
}
