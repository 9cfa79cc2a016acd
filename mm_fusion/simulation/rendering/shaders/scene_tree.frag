// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl.

uniform sampler2DArray plants;
in vec3 relative;
in vec3 picture_place;
in float above;
in vec3 light_before;
in vec4 air;
flat in float sky_share;
flat in vec2 cover;

void main() {
    vec4 leaf = texture(plants, picture_place);
    if (leaf.a < 0.42) discard;
    vec3 colour = leaf.rgb * leaf.rgb * (cover.x * 1.25 / max(leaf.a * leaf.a, 0.2));
    float snowy = cover.y * smoothstep(0.25, 0.9, dot(colour, vec3(5.0)) + above);
    colour = mix(colour, vec3(0.78, 0.80, 0.84), snowy * 0.85);
    vec3 light_here = lit_here(light_before, vec3(0.0, 0.0, 0.5), relative, sky_share);
    radiance = vec4(colour * light_here * air.w + air.xyz, 1.0);
    CLASSIFY(7);
}
