// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// What the shaders of the scene share. Stands after environment.glsl.

uniform vec3 eye;               // map frame, m
uniform vec2 picture;           // columns and rows of the target
uniform float lamps_on;         // street lamps and headlights, 0 or 1
uniform vec4 headlight;         // xy: direction of the vehicle; z: strength; w: height of the eye
uniform float headlight_ahead;  // m from the eye to the lamps
const vec3 STREET_LIGHT = vec3(0.115, 0.085, 0.055);
const vec3 TUNNEL_LIGHT = vec3(0.30, 0.27, 0.21);
const vec3 BEAM_LIGHT = vec3(0.26, 0.255, 0.24);

layout(location = 0) out vec4 radiance;
#ifdef SEGMENTATION
layout(location = 1) out float pixel_class;
#define CLASSIFY(index) pixel_class = float(index) / 255.0
#else
#define CLASSIFY(index)
#endif

#ifdef FULL
uniform sampler2DShadow shadow_map;
uniform mat4 shadow_turn;       // relative to the eye -> shadow map
float sunlit(vec3 relative, vec3 normal) {
    vec3 place = (shadow_turn * vec4(relative + normal * 0.06, 1.0)).xyz * 0.5 + 0.5;
    if (any(greaterThan(abs(place - 0.5), vec3(0.5)))) return 1.0;
    vec2 step = vec2(0.8 / 1024.0, 0.0);
    place.z -= 0.0012;
    return 0.25 * (texture(shadow_map, place + step.xyy) + texture(shadow_map, place - step.xyy)
                   + texture(shadow_map, place + step.yxy)
                   + texture(shadow_map, place - step.yxy));
}
#else
float sunlit(vec3 relative, vec3 normal) { return 1.0; }
#endif

// Dipped beams of the own vehicle: wide, bright near the ground, cut off above.
float own_headlight(vec3 relative, vec3 normal) {
    float ahead = dot(relative.xy, headlight.xy) - headlight_ahead;
    float aside = dot(relative.xy, vec2(-headlight.y, headlight.x));
    float height = relative.z + headlight.w;
    float spread = aside / (abs(ahead) + 1.2);
    float level = smoothstep(1.1 + 0.004 * ahead, 0.45 - 0.002 * ahead, height);
    float beam = exp2(-9.0 * spread * spread) * (0.06 + 0.94 * level);
    float grazing = mix(1.0, 0.55, smoothstep(0.5, 1.0, normal.z));
    return headlight.z * smoothstep(0.3, 4.0, ahead) * beam * grazing
           / (1.0 + ahead * ahead / 500.0);
}

// Irradiance/pi by sun, sky and lamps. lights: share of the sky, street lamps, tunnel lamps.
vec3 lit(vec3 normal, vec3 relative, vec3 lights, float sun) {
    vec3 all = light(normal) * lights.x;
    all -= sun_radiance * (max(dot(normal, sun_direction), 0.0) * lights.x * (1.0 - sun));
    all += STREET_LIGHT * (lights.y * lamps_on) + TUNNEL_LIGHT * lights.z;
    if (headlight.z > 0.0) all += BEAM_LIGHT * own_headlight(relative, normal);
    return all;
}
