// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// The look of the ground. Stands after environment.glsl.

struct GroundPoint {
    vec2 place;      // map frame, m
    float arc;       // of the main road, m
    float left;      // of the course, m
    int kind;        // index into PIXEL_CLASSES
    float distance;  // from the eye, m
    vec3 view;       // unit vector from the eye to the point
};

struct GroundLook {
    vec3 albedo;   // linear
    vec3 normal;   // unit vector, map frame
    float gloss;   // 0 rough, 1 smooth
    float mirror;  // share of the mirrored environment
};

uniform sampler2D surface_profile;
uniform vec2 surface_window;  // arc of the first texel, texels a metre

GroundLook ground_look(GroundPoint point) {
    float texel = clamp((point.arc - surface_window.x) * surface_window.y, 0.0, 1022.0);
    ivec2 cell = ivec2(int(texel), 0);
    vec4 layers = texelFetch(surface_profile, cell, 0);
    vec4 cover = mix(texelFetch(surface_profile, cell + ivec2(0, 1), 0),
                     texelFetch(surface_profile, cell + ivec2(1, 1), 0), fract(texel));
    vec3 albedo = vec3(0.12);
    if (point.kind == 1) albedo = vec3(0.06, 0.10, 0.03);
    if (point.kind == 3) albedo = vec3(0.6);
    if (point.kind >= 4) albedo = vec3(0.25);
    albedo *= 1.0 - 0.5 * (cover.x + cover.y);
    albedo = mix(albedo, vec3(0.8), cover.z);
    GroundLook look;
    look.albedo = albedo;
    look.normal = vec3(0.0, 0.0, 1.0);
    look.gloss = 0.5 * cover.x + cover.y;
    look.mirror = 0.3 * cover.x + 0.6 * cover.y;
    return look;
}
