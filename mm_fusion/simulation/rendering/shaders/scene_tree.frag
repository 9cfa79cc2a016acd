// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_common.glsl.

uniform sampler2DArray plants;
in vec3 relative;
in vec3 picture_place;
in vec2 round_place;
in vec3 light_shares;
flat in vec3 aside;
flat in vec2 cover;

void main() {
    vec4 leaf = texture(plants, picture_place);
    if (leaf.a < 0.42) discard;
    float range = length(relative);
    vec3 view = relative / range;
    float front = sqrt(max(1.0 - dot(round_place, round_place), 0.05));
    vec3 normal = normalize(aside * round_place.x + vec3(0.0, 0.0, round_place.y + 0.35)
                            - vec3(view.xy, 0.0) * front);
    vec3 colour = leaf.rgb * leaf.rgb / max(leaf.a * leaf.a, 0.2) * (cover.x * 1.25);
    float bright = dot(colour, vec3(5.0));
    float snowy = cover.y * smoothstep(0.25, 0.9, bright + 0.5 * round_place.y);
    colour = mix(colour, vec3(0.78, 0.80, 0.84), snowy * 0.85);
    float sun = mix(0.75, 1.0, sunlit(relative, normal)) ;
    // Leaves let some of the light through.
    vec3 light_here = mix(lit(normal, relative, light_shares, sun),
                          lit(-normal, relative, light_shares, sun), 0.22);
    radiance = vec4(in_air(colour * light_here, range, view), 1.0);
    CLASSIFY(7);
}
