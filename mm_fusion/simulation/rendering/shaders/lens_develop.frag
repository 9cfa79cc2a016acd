// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Radiance to sRGB. NOISY, DROPPED, DAZZLED and BLURRED, with TAPS, are defined where they
// apply: software GL
// executes both sides of a branch and the body of a loop at least once.

uniform sampler2D scene;
uniform sampler2D depths;
uniform sampler2D grain;
uniform sampler2D drops;
uniform vec2 size;
uniform mat4 back;        // clip space now to clip space at the beginning of the exposure
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
#ifdef DROPPED
    vec4 drop = textureLod(drops, place * drop_mirror + drop_shift, 0.0);
    float here = drop.b * step(drop.a, drop_amount);
    at += (drop.rg - 0.50196) * drop_mirror * vec2(0.22, 0.36) * here;
    shade = 1.0 - 0.30 * here * (1.0 - here) + 0.14 * here * (drop.g - 0.4);
#endif
#if defined(NOISY) || defined(BLURRED)
    vec4 noise = texelFetch(grain, (ivec2(gl_FragCoord.xy) + grain_shift) & 255, 0) - 0.50196;
#endif

#ifdef BLURRED
    vec4 now = vec4(2.0 * at - 1.0, 2.0 * textureLod(depths, at, 0.0).r - 1.0, 1.0);
    vec4 before = back * now;
    vec2 motion = at - (0.5 + 0.5 * before.xy / before.w);
    motion *= min(1.0, 0.06 / max(length(motion), 1e-5));
    vec2 between = motion / float(TAPS);
    vec2 first = at - 0.5 * motion + between * (0.5 + noise.a);
    vec3 colour = textureLod(scene, first, 0.0).rgb;
    for (int i = 1; i < TAPS; ++i)
        colour += textureLod(scene, first + float(i) * between, 0.0).rgb;
    colour *= exposure * shade / float(TAPS);
#else
    vec3 colour = textureLod(scene, at, 0.0).rgb * (exposure * shade);
#endif

    vec2 off = place - 0.5;
#ifdef DAZZLED
    vec2 away = (place - sun_place) * vec2(size.x / size.y, 1.0);
    float apart = dot(away, away);
    colour += exposure * glare * (0.0012 / (apart + 0.012) + 0.00012 / (apart + 0.0006));
#endif
    colour *= 1.0 - 0.55 * dot(off, off);
#ifdef NOISY
    float floor_deviation = read * exposure;
    colour += noise.rgb * ((255.0 / 32.0)
                           * sqrt(colour * (shot * exposure) + floor_deviation * floor_deviation));
#endif
    colour = max(colour, 0.0);
    // Filmic curve: Narkowicz (2015), a fit to ACES; then an approximation of the sRGB curve.
    colour = min(colour * (2.51 * colour + 0.03) / (colour * (2.43 * colour + 0.59) + 0.14), 1.0);
    vec3 root = sqrt(colour), fourth = sqrt(root), eighth = sqrt(fourth);
    pixel = vec4(0.662002687 * root + 0.684122060 * fourth - 0.323583601 * eighth
                 - 0.0225411470 * colour, 1.0);
}
