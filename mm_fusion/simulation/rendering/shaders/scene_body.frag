// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl.

in vec3 relative;
in vec3 across;
in vec3 tint;
in vec3 light_before;
in vec4 air;
flat in float sky_share;
flat in vec3 glow;
flat in int finish;

const int PAINT = 0, MATT = 1, GLASS = 2, HEADLAMP = 3, TAIL_LAMP = 4, BLUE_LAMP = 5, METAL = 6;

void main() {
    vec3 view = normalize(relative);
    vec3 normal = normalize(across);
    vec3 light_here = lit_here(light_before, normal, relative, sky_share);
    vec3 colour = tint * light_here;
    if (finish != MATT) {
        vec3 away = reflect(view, normal);
        float facing = 1.0 - abs(dot(view, normal));
        float fresnel = 0.04 + 0.96 * pow(facing, 5.0);
        vec3 around = away.z > 0.0 ? sky_smooth(away) : vec3(0.25) * light(vec3(0.0, 0.0, -1.0));
        around *= sky_share;
        float share = finish == GLASS ? 0.12 + 0.8 * fresnel
                    : finish == METAL ? 0.35 : 0.55 * fresnel + 0.02;
        colour = mix(colour, around, share);
        float glint = pow(max(dot(away, sun_direction), 0.0), 180.0);
        colour += sun_radiance * (sky_share * glint * 1.6);
    }
    vec3 lamp = vec3(0.0);
    if (finish == TAIL_LAMP) lamp = vec3(2.6, 0.04, 0.03) * glow.x + vec3(0.35, 0.006, 0.005) * glow.y;
    if (finish == HEADLAMP) lamp = vec3(2.4, 2.3, 2.1) * glow.y;
    if (finish == BLUE_LAMP) lamp = vec3(0.35, 1.1, 6.5) * glow.z;
    colour += lamp * lamp_gain;
    radiance = vec4(colour * air.w + air.xyz, 1.0);
    CLASSIFY(9);
}
