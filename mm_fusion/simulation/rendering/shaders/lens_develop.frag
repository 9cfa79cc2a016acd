// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Radiance to sRGB. Loops that run once or not at all stand where a branch would: software GL
// executes both sides of a branch, but leaves a loop that no pixel of a group enters.

uniform sampler2D scene;
uniform sampler2D depths;
uniform sampler2D grain;
uniform sampler2D drops;
uniform vec2 size;
uniform mat4 back;        // clip space now to clip space at the beginning of the exposure
uniform int blurred, most_taps, noisy, dropped, dazzled;
uniform ivec2 grain_shift;
uniform float shot, read;
uniform float drop_amount;
uniform vec2 drop_shift, drop_mirror;
uniform vec2 sun_place;

in vec2 place;
flat in float exposure;
flat in vec3 glare;

layout(location = 0) out vec4 pixel;

void main() {
    vec2 at = place;
    float shade = 1.0;
    for (int i = 0; i < dropped; ++i) {
        vec4 drop = textureLod(drops, place * drop_mirror + drop_shift, 0.0);
        float here = drop.b * step(drop.a, drop_amount);
        at += (drop.rg - 0.50196) * drop_mirror * vec2(0.22, 0.36) * here;
        shade = 1.0 - 0.22 * here * (1.0 - here) * 4.0 + 0.10 * here * drop.g;
    }
    vec4 noise = texelFetch(grain, (ivec2(gl_FragCoord.xy) + grain_shift) & 255, 0) - 0.50196;

    vec2 motion = vec2(0.0);
    int taps = 1;
    for (int i = 0; i < blurred; ++i) {
        vec4 now = vec4(2.0 * at - 1.0, 2.0 * textureLod(depths, at, 0.0).r - 1.0, 1.0);
        vec4 before = back * now;
        motion = at - (0.5 + 0.5 * before.xy / before.w);
        motion *= min(1.0, 0.06 / max(length(motion), 1e-5));
        vec2 pixels = motion * size;
        taps = dot(pixels, pixels) > 0.5 ? most_taps : 1;
    }
    vec3 colour = vec3(0.0);
    float part = 1.0 / float(taps);
    vec2 step_between = motion * part;
    vec2 first = at - 0.5 * motion + step_between * (0.5 + (taps > 1 ? noise.a : 0.0));
    for (int i = 0; i < taps; ++i)
        colour += textureLod(scene, first + float(i) * step_between, 0.0).rgb;
    colour *= exposure * shade * part;

    vec2 off = place - 0.5;
    for (int i = 0; i < dazzled; ++i) {
        vec2 away = (place - sun_place) * vec2(size.x / size.y, 1.0);
        float apart = dot(away, away);
        colour += exposure * glare * (0.012 / (apart + 0.012) + 0.0012 / (apart + 0.0006)) * 0.10;
    }
    colour *= 1.0 - 0.55 * dot(off, off);
    for (int i = 0; i < noisy; ++i) {
        float gain = exposure * exposure;
        vec3 deviation = sqrt(colour * (shot * exposure) + read * read * gain);
        colour += noise.rgb * (255.0 / 32.0) * deviation;
    }
    colour = max(colour, 0.0);
    // Filmic curve: Narkowicz (2015), a fit to ACES; then an approximation of the sRGB curve.
    colour = min(colour * (2.51 * colour + 0.03) / (colour * (2.43 * colour + 0.59) + 0.14), 1.0);
    vec3 root = sqrt(colour), fourth = sqrt(root), eighth = sqrt(fourth);
    pixel = vec4(0.662002687 * root + 0.684122060 * fourth - 0.323583601 * eighth
                 - 0.0225411470 * colour, 1.0);
}
