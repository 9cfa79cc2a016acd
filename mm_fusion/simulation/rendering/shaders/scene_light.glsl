// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Light that the shaders of the scene share. Stands after environment.glsl.

uniform vec3 eye;               // map frame, m
uniform float lamps_on;         // street lamps and headlights, 0 or 1
uniform vec4 headlight;         // xy: direction of the vehicle; z: strength; w: height of the eye
uniform float headlight_ahead;  // m from the eye to the lamps
const vec3 STREET_LIGHT = vec3(0.115, 0.085, 0.055);
const vec3 TUNNEL_LIGHT = vec3(0.30, 0.27, 0.21);
const vec3 BEAM_LIGHT = vec3(0.26, 0.255, 0.24);

// Dipped beams of the own vehicle: wide, bright near the ground, cut off above.
float own_headlight(vec3 relative, vec3 normal) {
    float ahead = dot(relative.xy, headlight.xy) - headlight_ahead;
    float aside = dot(relative.xy, vec2(-headlight.y, headlight.x));
    float height = relative.z + headlight.w;
    float spread = aside / (abs(ahead) + 1.2);
    float level = 1.0 - smoothstep(0.45 - 0.002 * ahead, 1.1 + 0.004 * ahead, height);
    float beam = exp2(-9.0 * spread * spread) * (0.06 + 0.94 * level);
    float grazing = mix(1.0, 0.55, smoothstep(0.5, 1.0, normal.z));
    return headlight.z * smoothstep(0.3, 4.0, ahead) * beam * grazing
           / (1.0 + ahead * ahead / 500.0);
}

// Irradiance/pi by sun, sky and fixed lamps. lights: share of the sky, street lamps, tunnel lamps.
vec3 lit(vec3 normal, vec3 lights) {
    return light(normal) * lights.x + STREET_LIGHT * (lights.y * lamps_on)
           + TUNNEL_LIGHT * lights.z;
}

// What air leaves of a colour (w), and what it adds (xyz).
vec4 air_between(float range, vec3 view) {
    vec3 added = in_air(vec3(0.0), range, view);
    return vec4(added, in_air(vec3(1.0), range, view).g - added.g);
}
