// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform sampler2DArray plants;
in vec3 picture_place;

void main() {
    if (texture(plants, picture_place).a < 0.42) discard;
}
