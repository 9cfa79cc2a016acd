// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// The look of the ground. Stands after environment.glsl; SURFACE_LAYERS and COVERED are put before.

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

uniform sampler2DArray surface_layers;  // slopes, tone, height
uniform sampler2D surface_macro;        // tone, even noise, seams, potholes
uniform sampler2D surface_profile;      // rows: surfaces, bounds of covers, course
uniform vec2 surface_window;            // arc of the first texel, texels a metre
uniform vec4 surface_traits[3 * SURFACE_LAYERS];
uniform int surface_beside;             // layer of the pavement; grass and covers follow
uniform vec3 surface_lanes;             // middle of the rightmost, width, number less one
uniform vec3 surface_ripple;            // strength, place

const vec2 SURFACE_TILE = vec2(1.0 / 4.0, 1.0 / 12.0);
const vec2 SURFACE_MACRO_TILE = vec2(1.0 / 24.0, 1.0 / 48.0);
const int TERRAIN = 1, ROAD = 2, MARK = 3, KERB = 4, PAVEMENT = 5;

// How much wheels have passed over, 0..1.
float surface_track(float left, float sway) {
    float across = left - surface_lanes.x;
    float lane = clamp(floor(across / surface_lanes.y + 0.5), 0.0, surface_lanes.z);
    float off = (abs(across - lane * surface_lanes.y + sway) - 0.76) * 2.6;
    float inside = max(1.0 - off * off, 0.0);
    return inside * inside * (3.0 - 2.0 * inside);
}

// Light is caught under a film of water: Angstrom (1925), after Lekner and Dorf (1988).
vec3 surface_wetted(vec3 albedo) {
    return 0.54 * albedo / (1.0 - 0.435 * albedo);
}

// A point whose share ``paint`` is a road mark. One call: a second one behind a branch would cost
// each pixel as much again.
GroundLook ground_look(GroundPoint point, float painted) {
    float texel = (point.arc - surface_window.x) * surface_window.y;
    ivec2 cell = ivec2(int(clamp(texel, 0.0, 2047.0)), 0);
    vec4 surfaces = texelFetch(surface_profile, cell, 0);
    vec4 bounds = texelFetch(surface_profile, cell + ivec2(0, 1), 0);
    vec4 line = texelFetch(surface_profile, cell + ivec2(0, 2), 0);

    bool paved = point.kind >= ROAD;
    bool road = point.kind == ROAD || point.kind == MARK;
    // Beside the main road, on a side road, the arc stands still: go on along the map instead.
    vec2 away = point.place - line.xy;
    vec2 turned = vec2(line.z * away.y - line.w * away.x, dot(away, line.zw));
    vec2 at = abs(turned.y) < 2.0 ? vec2(point.left, point.arc)
                                  : vec2(turned.x, point.arc + turned.y);
    at = paved ? at : point.place;
    vec4 macro = texture(surface_macro, at * SURFACE_MACRO_TILE);
    float even = clamp(macro.g, 0.002, 0.998);

    // What the ground is made of.
    int layer = int(even < surfaces.z ? surfaces.y : surfaces.x);
    layer = point.kind >= KERB ? surface_beside : layer;
    layer = paved ? layer : surface_beside + 1;
    vec4 fine = texture(surface_layers, vec3((at + vec2(1.75, 0.0)) * SURFACE_TILE, float(layer)));
    vec4 dark = surface_traits[3 * layer];
    vec4 bright = surface_traits[3 * layer + 1];
    vec4 wear = surface_traits[3 * layer + 2];
    float track = road ? surface_track(point.left, 0.5 * (macro.r - 0.5)) : 0.0;
    float hole = macro.a * wear.y;
    float loose = 1.0 - dark.a;
    float tone = fine.z + bright.a * (macro.r - 0.5) + wear.x * (macro.b - 0.5)
                 - hole * 0.22 - track * (0.03 + 0.14 * loose);
    vec3 albedo = mix(dark.rgb, bright.rgb, clamp(tone, 0.0, 1.0));
    vec2 slope = (fine.xy - 0.50196) * (2.0 - track * loose);
    float paint = painted * dark.a * smoothstep(0.02, 0.3, fine.z + 0.3 - 0.1 * wear.z);
    albedo = mix(albedo, vec3(0.68, 0.68, 0.66), paint * (0.95 - 0.25 * macro.r));
    albedo = point.kind == KERB ? albedo * 1.25 : albedo;

    // Water: all that is not dry is wet, and what is low holds a film that mirrors.
    float wet = surfaces.w > 0.999
        ? 0.0 : clamp((1.0 - surfaces.w - even) * 10.0 + surfaces.w, 0.0, 1.0);
    wet *= paved ? 1.0 : 0.3;
    float low = 0.9 * hole + 0.30 * track * (0.4 + wear.z * loose) - 0.55 * macro.r
                - 0.25 * fine.w - 0.32;
    float snow = 0.0, slush = 0.0, frozen = 0.0, frost = 0.0;
#ifdef COVERED
    // What lies on the road: the even noise finds its place between the bounds.
    vec4 above = step(bounds, vec4(even));
    int cover = int(above.x + above.y + above.z + above.w);  // ice, snow, slush, water, none
    float from = cover == 0 ? -1.0 : cover == 1 ? bounds.x : cover == 2 ? bounds.y : bounds.z;
    float to = cover == 0 ? bounds.x : cover == 1 ? bounds.y : cover == 2 ? bounds.z : bounds.w;
    from = from < 0.001 ? -1.0 : from;
    to = to > 0.999 ? 2.0 : to;
    float inside = clamp(min(even - from, to - even) * 12.0, 0.0, 1.0);
    frozen = cover == 0 ? inside : 0.0;
    snow = cover == 1 ? inside : 0.0;
    slush = cover == 2 ? inside : 0.0;
    float water = cover == 3 ? inside : 0.0;
    low += 1.06 * water;
    int lying = surface_beside + 2 + min(cover, 3);
    vec2 there = at * SURFACE_TILE;
    there = cover == 3 ? there + surface_ripple.yz : 0.6 * there + vec2(0.37, 0.21);
    vec4 lie = texture(surface_layers, vec3(there, float(lying)));

    // Wheels press snow and lay the road bare in places; slush gives way to them.
    float pressed = track * clamp(0.55 + 0.9 * macro.r + 0.45 * (lie.w - 0.5), 0.0, 1.0);
    float bare = pressed * (0.35 + 0.55 * macro.r + 0.45 * lie.w);
    snow *= 1.0 - 0.75 * smoothstep(0.62, 1.05, bare);
    float gone = road ? 0.20 + 0.85 * track : -0.12;
    slush *= clamp((lie.z + 1.1 * (macro.r - 0.5) - gone) * 4.0, 0.0, 1.0);
    frost = paved ? lie.z * clamp(2.2 * macro.r - 0.35, 0.0, 1.0) : 0.75 + 0.25 * lie.z;
#endif
    float film = wet * clamp(low * 5.0, 0.0, 1.0) * (road ? 1.0 : 0.5);
    albedo = mix(albedo, surface_wetted(albedo), wet * (1.0 - frozen)) * (1.0 - 0.25 * film);
#ifdef COVERED
    float lie_tone = frozen > 0.0 ? 0.26 + 0.10 * (macro.r - 0.5) + 0.74 * frost : lie.z;
    lie_tone -= snow * pressed * (0.42 - 0.10 * lie.w);
    lie_tone = slush > 0.0 && !road ? 0.75 + 0.25 * lie_tone : lie_tone - 0.20 * slush;
    vec3 lie_albedo = mix(surface_traits[3 * lying].rgb, surface_traits[3 * lying + 1].rgb,
                          clamp(lie_tone, 0.0, 1.0));
    albedo = mix(albedo, lie_albedo, snow + slush + frozen * (0.42 + 0.58 * frost));
    vec2 lie_slope = (lie.xy - 0.50196) * 2.0;
    slope = mix(slope * (1.0 - 0.9 * film - 0.6 * frozen), lie_slope * (1.0 - 0.6 * pressed),
                snow + slush + frozen);
    slope += lie_slope * (film * surface_ripple.x * (cover == 3 ? 1.0 : 0.0));
#else
    slope *= 1.0 - 0.9 * film;
#endif

    GroundLook look;
    look.albedo = albedo;
    vec2 flat_normal = -slope.x * vec2(-line.w, line.z) - slope.y * line.zw;
    look.normal = normalize(vec3(flat_normal, 1.0));
    float facing = 1.0 - max(-point.view.z, 0.0);
    float facing2 = facing * facing;
    float fresnel = 0.02 + 0.98 * facing2 * facing2 * facing;
    float shiny = wet * (1.0 - snow) * (1.0 - 0.75 * slush) * (paved ? 1.0 : 0.2);
    float glazed = frozen * (1.0 - frost);
    look.gloss = max(max(shiny * mix(0.45, 0.97, film), glazed * 0.92), 0.08);
    look.mirror = fresnel * max(shiny * mix(0.20 - 0.10 * loose, 0.92, film), glazed * 0.75);
    return look;
}

GroundLook ground_look(GroundPoint point) {
    return ground_look(point, point.kind == MARK ? 1.0 : 0.0);
}
