// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl, surface.glsl and scene_fragment.glsl.

#ifdef WET
uniform sampler2D mirrored;    // the scene as level water shows it
uniform float mirroring;       // 0 while nothing in sight mirrors
uniform vec2 picture;          // columns and rows of the target
#endif
uniform vec2 dashes;           // length of a dash and of dash and gap, m
in vec3 relative;
in vec4 places;
in vec3 light_shares;
flat in vec2 line;
flat in vec3 base_normal;
flat in ivec2 kinds;


// Share of a span of some width around x that lies within half of 0.
float covered(float x, float half_width, float width) {
    float reach = 0.5 * width;
    return clamp(min(x + reach, half_width) - max(x - reach, -half_width), 0.0, width) / width;
}

float dashed_until(float x) {
    return floor(x / dashes.y) * dashes.x + min(mod(x, dashes.y), dashes.x);
}

// Share of a pixel that paint covers: the exact mean over its footprint, so lines do not flicker.
float paint_share() {
    vec2 here = places.zw;
    vec2 foot = vec2(length(vec2(dFdx(here.x), dFdy(here.x))),
                     length(vec2(dFdx(here.y), dFdy(here.y)))) + 1e-4;
    if (kinds.y == 3) return covered(here.x - line.x, line.y, foot.x);
    float share = covered(here.y - line.x, line.y, foot.y);
    if (kinds.y == 2 && share > 0.0)
        share *= (dashed_until(here.x + 0.5 * foot.x) - dashed_until(here.x - 0.5 * foot.x))
                 / foot.x;
    return share;
}

void main() {
    float range = length(relative);
    vec3 view = relative / range;
    GroundPoint point = GroundPoint(relative.xy + eye.xy, places.x, places.y, kinds.x, range, view);
    float paint = kinds.y > 0 ? paint_share() : 0.0;
    GroundLook look = ground_look(point, paint);
    vec3 normal = look.normal;
    if (base_normal.z < 0.9) {
        normal = base_normal;
        look.mirror = 0.0;
    }
    vec3 light_here = lit(normal, light_shares);
    vec3 colour = look.albedo * lit_here(light_here, normal, relative, light_shares.x);
#ifdef WET
    vec2 ripple = normal.xy * (1.6 / (1.0 + 0.06 * range));
    vec3 image = texture(mirrored, gl_FragCoord.xy / picture + ripple * vec2(0.25, 0.6)).rgb;
    colour = mix(colour, image, look.mirror * mirroring);
#endif
    float glint = max(dot(reflect(view, normal), sun_direction), 0.0);
    float sharp = exp2(2.0 + 7.0 * look.gloss);
    colour += sun_radiance * (light_shares.x * look.gloss * look.gloss * 0.12
                              * (1.0 + 0.06 * sharp) * pow(glint, sharp));
    radiance = vec4(in_air(colour, range, view), 1.0);
    CLASSIFY(paint > 0.5 ? 3 : kinds.x);
}
