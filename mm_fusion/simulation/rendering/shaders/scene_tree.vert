// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Pictures of plants, turned to the camera about their trunks. Stands after scene_light.glsl.

uniform mat4 turn;
uniform vec3 shift;
in vec3 position;
in vec2 corner;
in vec2 size;
in uvec4 traits;
in vec4 lights;
out vec3 relative;
out vec3 picture_place;
out float above;
out vec3 light_before;
out vec4 air;
flat out float sky_share;
flat out vec2 cover;  // brightness, snow

void main() {
    vec3 foot = position + shift;
    vec2 away = normalize(foot.xy);
    vec3 aside = vec3(away.y, -away.x, 0.0);
    relative = foot + aside * (corner.x * size.x) + vec3(0.0, 0.0, corner.y * size.y);
    float flip = (traits.x & 1u) == 1u ? 1.0 : -1.0;
    picture_place = vec3(0.5 + 0.5 * flip * corner.x, corner.y, float(traits.x >> 1));
    above = corner.y - 0.5;
    // Round like a ball; leaves let some of the light through.
    vec3 normal = normalize(aside * corner.x + vec3(0.0, 0.0, 1.8 * corner.y - 0.5)
                            - 0.7 * vec3(away, 0.0));
    light_before = mix(lit(normal, lights.xyz), lit(-normal, lights.xyz), 0.22);
    sky_share = lights.x;
    float range = length(relative);
    air = air_between(range, relative / range);
    cover = vec2(traits.yz) / 255.0;
    gl_Position = turn * vec4(relative, 1.0);
}
