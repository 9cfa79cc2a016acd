// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl.

in vec3 relative;
in vec2 place;
in vec3 tint;
in vec3 light_before;
in vec4 air;
flat in vec3 across;
flat in float salt;
flat in float snow;
flat in float sky_share;
flat in ivec2 kinds;

const int FACADE = 1, TILES = 2, STREET_LAMP = 3, TUNNEL_LAMP = 4, CONCRETE = 5, METAL = 6,
          REFLECTOR = 7;
const vec2 BAY = vec2(2.8, 3.1);

float hash(vec2 cell) {
    vec3 p = fract(vec3(cell.xyx) * 0.1031 + salt);
    p += dot(p, p.yzx + 33.33);
    return fract((p.x + p.y) * p.z);
}

// Share of a pixel inside low..high; the edges are as wide as the pixel.
float within(float x, float low, float high, float pixel) {
    return clamp((min(x + 0.5 * pixel, high) - max(x - 0.5 * pixel, low)) / pixel, 0.0, 1.0);
}

// A wall with windows: its colour, and in a how much of it is glass.
vec4 facade(vec2 pixel, out float lit_window) {
    vec2 wall = place - vec2(0.4, 0.5);
    vec2 cell = floor(wall / BAY);
    vec2 inside = wall - cell * BAY;
    float ground = cell.y < 0.0 ? 1.0 : 0.0;
    bool shop = cell.y < 0.5 && salt > 0.62;
    vec2 low = shop ? vec2(0.42, 0.40) : vec2(0.85, 0.95) - vec2(0.15 * fract(salt * 7.0), 0.0);
    vec2 high = shop ? vec2(2.40, 2.50) : vec2(1.95, 2.45) + vec2(0.15 * fract(salt * 7.0), 0.0);
    if (cell.x < 0.0) low = vec2(9.0);
    float hole = within(inside.x, low.x, high.x, pixel.x) * within(inside.y, low.y, high.y, pixel.y);
    vec2 frame = vec2(0.09);
    float glass = within(inside.x, low.x + frame.x, high.x - frame.x, pixel.x)
                * within(inside.y, low.y + frame.y, high.y - frame.y, pixel.y);
    float mullion = within(inside.x, 1.37, 1.43, pixel.x);
    glass *= shop ? 1.0 : 1.0 - mullion;
    glass *= 1.0 - ground;
    hole *= 1.0 - ground;
    vec3 colour = tint * (0.94 + 0.06 * hash(floor(place * 3.0)));
    float plinth = within(place.y, -1.0, 0.55, pixel.y);
    colour = mix(colour, tint * 0.55, plinth);
    float band = within(inside.y, 2.86, 3.0, pixel.y) * step(0.5, fract(salt * 13.0));
    colour = mix(colour, min(tint * 1.25, vec3(0.75)), band * (1.0 - ground));
    // Soot and rain darken a wall below its sills.
    vec3 rim = fract(salt * 5.0) > 0.35 ? vec3(0.62) : vec3(0.16, 0.11, 0.07);
    colour = mix(colour, rim, hole);
    lit_window = step(shop ? 0.45 : 0.66, hash(cell + 7.0)) * glass;
    return vec4(colour, glass);
}

void main() {
    vec3 view = normalize(relative);
    vec3 normal = across;
    vec3 light_here = lit_here(light_before, normal, relative, sky_share);
    vec3 colour = tint;
    vec3 shine = vec3(0.0);
    int material = kinds.y;
    if (material == FACADE) {
        vec2 pixel = max(fwidth(place), vec2(1e-3));
        float lit_window;
        vec4 wall = facade(pixel, lit_window);
        // Street and neighbours take light from the foot of a wall.
        light_here *= mix(0.78, 1.0, smoothstep(0.0, 5.0, place.y));
        vec3 away = reflect(view, normal);
        float fresnel = 0.10 + 0.75 * pow(1.0 - abs(dot(view, normal)), 3.0);
        vec3 image = mix(vec3(0.35) * light(vec3(0.0, 0.0, 1.0)) * vec3(0.5, 0.52, 0.5),
                         sky_smooth(away), smoothstep(0.0, 0.25, away.z));
        vec3 curtain = vec3(0.10, 0.095, 0.085) * (0.3 + hash(floor(place / BAY) + 3.0));
        vec3 pane = curtain * light_here * 0.5 + image * fresnel;
        pane += vec3(0.075, 0.048, 0.021) * (lit_window * lamps_on
                * (0.55 + 0.9 * hash(floor(place / vec2(0.7, 3.1)) + 11.0)));
        colour = mix(wall.rgb * light_here, pane, wall.a);
    } else {
        if (material == TILES) {
            float row = fract(place.y * 3.2);
            float fine = clamp(1.4 - 4.0 * fwidth(place.y * 3.2), 0.0, 1.0);
            colour *= 1.0 - fine * (0.35 * smoothstep(0.75, 1.0, row)
                                    - 0.10 * (hash(floor(place * vec2(4.0, 3.2))) - 0.5));
        } else if (material == CONCRETE) {
            float joint = fract(place.x / 5.0);
            colour *= 0.92 + 0.08 * smoothstep(0.0, 0.02, abs(joint - 0.5));
            colour *= 0.94 + 0.12 * hash(floor(place * 2.0));
        }
        colour = mix(colour, vec3(0.80, 0.82, 0.85), snow * smoothstep(0.25, 0.6, normal.z));
        colour *= light_here;
        if (material == METAL) {
            vec3 away = reflect(view, normal);
            colour = mix(colour, sky_smooth(vec3(away.xy, abs(away.z))) * sky_share, 0.22);
        }
        if (material == STREET_LAMP) shine = vec3(1.5, 1.1, 0.7) * (lamps_on * lamp_gain);
        if (material == TUNNEL_LAMP) shine = vec3(2.2, 2.0, 1.6);
#ifdef BEAMS
        if (material == REFLECTOR) shine = vec3(7.2, 6.6, 6.0) * own_headlight(relative, -view);
#endif
    }
    radiance = vec4((colour + shine) * air.w + air.xyz, 1.0);
    CLASSIFY(kinds.x);
}
