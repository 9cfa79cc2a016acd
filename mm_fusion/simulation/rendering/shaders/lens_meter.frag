// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// A small picture of the scene: what the exposure is metered from.

uniform sampler2D scene;

in vec2 place;

layout(location = 0) out vec4 mean;

void main() {
    vec3 total = vec3(0.0);
    for (int i = 0; i < 16; ++i) {
        vec2 offset = (vec2(i % 4, i / 4) - 1.5) / vec2(128.0, 72.0);
        total += min(textureLod(scene, place + offset, 0.0).rgb, vec3(4.0));
    }
    mean = vec4(total / 16.0, 1.0);
}
