// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl, scene_light.glsl and scene_fragment.glsl.

in vec3 relative;
in vec2 place;
in vec3 tint;
in vec3 light_before;
in vec3 sheen;
in vec4 air;
flat in vec3 across;
flat in vec4 grain;
flat in vec4 lamp;
flat in vec3 wall;
flat in int index;

const vec2 BAY = vec2(2.8, 3.1);

float hash(vec2 cell) {
    vec3 p = fract(vec3(cell.xyx) * 0.1031 + wall.y);
    p += dot(p, p.yzx + 33.33);
    return fract((p.x + p.y) * p.z);
}

// Share of a pixel inside low..high, across and up.
float within(vec2 x, vec2 low, vec2 high, vec2 pixel) {
    vec2 share = (min(x + 0.5 * pixel, high) - max(x - 0.5 * pixel, low)) / pixel;
    share = clamp(share, 0.0, 1.0);
    return share.x * share.y;
}

void main() {
    vec2 pixel = max(fwidth(place), vec2(1e-3));
    vec3 light_here = lit_here(light_before, across, relative, wall.z);
    vec3 colour = tint * (1.0 + grain.z * (hash(floor(place * grain.xy)) - 0.5));
    float row = fract(place.y * grain.y);
    colour *= 1.0 - grain.w * smoothstep(0.75, 1.0, row)
                  * clamp(1.4 - 4.0 * pixel.y * grain.y, 0.0, 1.0);

    // Windows in bays and storeys above a plinth; wide ones in shops.
    vec2 facade = place - vec2(0.4, 0.5);
    vec2 cell = floor(facade / BAY);
    vec2 inside = facade - cell * BAY;
    float shop = cell.y < 0.5 && wall.y > 0.62 ? 1.0 : 0.0;
    float present = cell.x < 0.0 || cell.y < 0.0 ? 0.0 : wall.x;
    float wider = 0.15 * fract(wall.y * 7.0);
    vec2 low = mix(vec2(0.85 - wider, 0.95), vec2(0.42, 0.40), shop);
    vec2 high = mix(vec2(1.95 + wider, 2.45), vec2(2.40, 2.50), shop);
    float hole = present * within(inside, low, high, pixel);
    float glass = present * within(inside, low + 0.09, high - 0.09, pixel);
    glass *= 1.0 - (1.0 - shop) * within(inside, vec2(1.37, 0.0), vec2(1.43, 9.0), pixel);
    float band = within(inside, vec2(-9.0, 2.86), vec2(9.0, 3.0), pixel) * step(0.5, fract(wall.y * 13.0));
    colour *= 1.0 + 0.22 * band * present;
    colour *= 1.0 - 0.45 * wall.x * clamp((0.55 - place.y) / pixel.y + 0.5, 0.0, 1.0);
    vec3 rim = fract(wall.y * 5.0) > 0.35 ? vec3(0.62) : vec3(0.16, 0.11, 0.07);
    colour = mix(colour, rim, hole);
    // Street and neighbours take light from the foot of a wall.
    light_here *= 1.0 - 0.22 * wall.x * (1.0 - clamp(place.y * 0.2, 0.0, 1.0));
    float room = hash(cell + 3.0);
    vec3 pane = vec3(0.05, 0.047, 0.042) * (0.3 + room) * light_here + sheen;
#ifdef BEAMS
    float lights_on = step(mix(0.66, 0.45, shop), room) * lamps_on;
    pane += vec3(0.075, 0.048, 0.021)
            * (lights_on * (0.55 + 0.9 * hash(floor(place / vec2(0.7, 3.1)) + 11.0)));
#endif
    colour = mix(colour * light_here + sheen * (1.0 - wall.x), pane, glass);
    vec3 shine = lamp.rgb * lamp_gain;
#ifdef BEAMS
    shine += vec3(7.2, 6.6, 6.0) * (lamp.a * own_headlight(relative, -normalize(relative)));
#endif
    radiance = vec4((colour + shine) * air.w + air.xyz, 1.0);
    CLASSIFY(index);
}
