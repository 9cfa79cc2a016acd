// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Pictures of plants, turned to the camera about their trunks.

uniform mat4 turn;
uniform vec3 shift;
in vec3 position;
in vec2 corner;
in vec2 size;
in uvec4 traits;
in vec4 lights;
out vec3 relative;
out vec3 picture_place;
out vec2 round_place;
out vec3 light_shares;
flat out vec3 aside;
flat out vec2 cover;  // brightness, snow

void main() {
    vec3 foot = position + shift;
    vec2 away = normalize(foot.xy);
    aside = vec3(away.y, -away.x, 0.0);
    relative = foot + aside * (corner.x * size.x) + vec3(0.0, 0.0, corner.y * size.y);
    float flip = (traits.x & 1u) == 1u ? 1.0 : -1.0;
    picture_place = vec3(0.5 + 0.5 * flip * corner.x, corner.y, float(traits.x >> 1));
    round_place = vec2(corner.x, 2.0 * corner.y - 1.1);
    light_shares = lights.xyz;
    cover = vec2(traits.yz) / 255.0;
    gl_Position = turn * vec4(relative, 1.0);
}
