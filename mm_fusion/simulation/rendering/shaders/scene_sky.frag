// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl.

in vec3 direction;

void main() {
    radiance = vec4(sky(normalize(direction)), 1.0);
    CLASSIFY(0);
}
