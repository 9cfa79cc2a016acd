// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// The automatic exposure, from the small picture; and how much of the sun is seen.

uniform sampler2D metered;
uniform sampler2D depths;
uniform float level;      // irradiance/pi of level ground out of doors
uniform vec2 sun_place;

layout(location = 0) out vec4 exposed;  // exposure, share of the sun

const float KEY = 0.155;

void main() {
    float logs = 0.0, sum = 0.0;
    for (int row = 0; row < 18; ++row)
        for (int column = 0; column < 32; ++column) {
            vec3 colour = texelFetch(metered, ivec2(column, row), 0).rgb;
            float luminance = dot(colour, vec3(0.2126, 0.7152, 0.0722)) + 1e-4;
            logs += log2(luminance) / 576.0;
            sum += luminance / 576.0;
        }
    // Dusk stays darker than day, as drivers set their cameras.
    float seen = KEY * pow(clamp(level / 0.15, 0.02, 1.0), 0.4) / sqrt(exp2(logs) * sum);
    // What falls on the ground tempers what comes from it: snow stays bright, asphalt dark.
    float exposure = seen * pow(clamp(1.0 / (level * seen), 0.4, 2.2), 0.5);

    float open = 0.0;
    for (int i = 0; i < 16; ++i) {
        vec2 offset = (vec2(i % 4, i / 4) - 1.5) * vec2(0.003, 0.005);
        open += step(0.99999, textureLod(depths, sun_place + offset, 0.0).r) / 16.0;
    }
    vec2 beyond = max(abs(sun_place - 0.5) - 0.5, 0.0);
    open = beyond.x + beyond.y > 0.001 ? 0.3 : open;
    exposed = vec4(exposure, open, 0.0, 1.0);
}
