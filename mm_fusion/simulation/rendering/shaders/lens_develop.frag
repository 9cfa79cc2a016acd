// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0

uniform sampler2D scene;
uniform sampler2D metered;

in vec2 place;

layout(location = 0) out vec4 pixel;

void main() {
    vec3 mean = vec3(0.0);
    for (int i = 0; i < 16; ++i)
        mean += texture(metered, (vec2(i % 4, i / 4) + 0.5) / 4.0).rgb / 16.0;
    float exposure = 0.16 / max(dot(mean, vec3(0.2126, 0.7152, 0.0722)), 1e-4);
    vec3 colour = texture(scene, place).rgb * exposure;
    colour = colour * (2.51 * colour + 0.03) / (colour * (2.43 * colour + 0.59) + 0.14);
    pixel = vec4(pow(clamp(colour, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}
