// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// A small picture of the scene, and how far each of its cells moves while exposed.

uniform sampler2D scene;
uniform sampler2D depths;
uniform mat4 back;
uniform vec2 size;

in vec2 place;

layout(location = 0) out vec4 mean;  // radiance, farthest motion in pixels

void main() {
    vec3 total = vec3(0.0);
    float farthest = 0.0;
    for (int i = 0; i < 16; ++i) {
        vec2 at = place + (vec2(i % 4, i / 4) - 1.5) / vec2(128.0, 72.0);
        total += min(textureLod(scene, at, 0.0).rgb, vec3(4.0));
        vec4 before = back * vec4(2.0 * at - 1.0, 2.0 * textureLod(depths, at, 0.0).r - 1.0, 1.0);
        farthest = max(farthest, length((at - 0.5 - 0.5 * before.xy / before.w) * size));
    }
    mean = vec4(total / 16.0, farthest);
}
