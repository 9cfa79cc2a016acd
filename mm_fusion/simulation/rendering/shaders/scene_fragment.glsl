// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// What the fragment shaders of the scene share. Stands after scene_light.glsl.

layout(location = 0) out vec4 radiance;
#ifdef SEGMENTATION
layout(location = 1) out float pixel_class;
#define CLASSIFY(index) pixel_class = float(index) / 255.0
#else
#define CLASSIFY(index)
#endif

uniform float lamp_gain;  // of the radiance of lamps, less where the exposure is long

#ifdef FULL
uniform sampler2DShadow shadow_map;
uniform mat4 shadow_turn;  // relative to the eye -> shadow map

// Share of the sun that is seen from a point, by the mean of four comparisons.
float sunlit(vec3 relative, vec3 normal) {
    vec3 place = (shadow_turn * vec4(relative + normal * 0.15, 1.0)).xyz * 0.5 + 0.5;
    vec2 rim = 1.0 - smoothstep(vec2(0.46), vec2(0.5), abs(place.xy - 0.5));
    vec3 texel = vec3(0.7 / 1024.0, -0.7 / 1024.0, 0.0);
    place.z = min(place.z - 0.0008, 1.0);
    float seen = 0.25 * (texture(shadow_map, place + texel.xxz)
                         + texture(shadow_map, place + texel.xyz)
                         + texture(shadow_map, place + texel.yxz)
                         + texture(shadow_map, place + texel.yyz));
    return mix(1.0, seen, rim.x * rim.y);
}
#endif

// The part of the light that is known only here: shadows take, headlights give.
vec3 lit_here(vec3 before, vec3 normal, vec3 relative, float sky_share) {
#ifdef FULL
    float sun = max(dot(normal, sun_direction), 0.0) * sky_share;
    before -= sun_radiance * (sun * (1.0 - sunlit(relative, normal)));
#endif
#ifdef BEAMS
    before += BEAM_LIGHT * own_headlight(relative, normal);
#endif
    return before;
}
