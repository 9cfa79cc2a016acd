// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Sky, light and air. Linear radiance; directions in the map frame.

uniform vec3 sun_direction;
uniform vec3 sun_radiance;
uniform vec3 environment_disc;
uniform vec3 environment_sky_light;
uniform vec3 environment_ground_light;
uniform vec3 environment_zenith;
uniform vec3 environment_horizon;
uniform vec3 environment_glow;
uniform vec3 environment_cloud_bright;
uniform vec3 environment_cloud_dark;
uniform float environment_cover;
uniform vec3 environment_air;
uniform float environment_extinction;
uniform float environment_fog_height;
uniform vec2 environment_drift;
uniform sampler2D environment_clouds;

// What is added towards the sun: wide at the horizon, narrow above.
vec3 environment_sunward(float towards, float height) {
    float wide = max(0.5 + 0.5 * towards, 0.0);
    wide *= wide;
    return environment_glow * (wide * wide * exp2(-6.0 * height) + 0.008 / (1.010 - towards));
}

// The sky without clouds and sun: cheap enough for mirrors.
vec3 sky_smooth(vec3 direction) {
    float height = max(direction.z, 0.0);
    float towards = dot(direction, sun_direction);
    vec3 clear = mix(environment_zenith, environment_horizon, exp2(-5.0 * height));
    clear += environment_sunward(towards, height);
    float through = exp2(-1.443 * environment_extinction * environment_fog_height
                         / (height + 0.03));
    return mix(environment_air, clear, through);
}

vec3 sky(vec3 direction) {
    float height = max(direction.z, 0.0);
    float towards = dot(direction, sun_direction);
    vec3 colour = mix(environment_zenith, environment_horizon, exp2(-5.0 * height));
    colour += environment_sunward(towards, height);
    float cloud = texture(environment_clouds,
                          direction.xy * (0.11 / (height + 0.14)) + environment_drift).r;
    float edge = 1.0 - environment_cover;
    float thick = smoothstep(edge - 0.12, edge + 0.22, cloud) * smoothstep(-0.02, 0.2, height);
    float lit = smoothstep(1.15, 0.35, cloud - edge * 0.6);
    vec3 clouds = mix(environment_cloud_dark, environment_cloud_bright, lit);
    colour = mix(colour, clouds, thick * 0.9);
    float disc = smoothstep(0.99994, 0.999985, towards);
    colour += environment_disc * (disc * (1.0 - thick));
    float through = exp2(-1.443 * environment_extinction * environment_fog_height
                         / (height + 0.03));
    return mix(environment_air, colour, through);
}

vec3 light(vec3 normal) {
    vec3 around = mix(environment_ground_light, environment_sky_light, 0.5 + 0.5 * normal.z);
    return around + sun_radiance * max(dot(normal, sun_direction), 0.0);
}

// Koschmieder: contrast falls exponentially with distance towards the airlight.
vec3 in_air(vec3 colour, float distance, vec3 direction) {
    float clear = exp2(-1.443 * environment_extinction * distance);
    return mix(environment_air, colour, clear);
}
