// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// What stands beside the road. Stands after scene_light.glsl.

uniform mat4 turn;
uniform vec3 shift;
in vec3 position;
in vec2 spot;
in ivec3 normal;
in vec4 colour;
in uvec4 traits;
in vec4 lights;
out vec3 relative;
out vec2 place;
out vec3 tint;
out vec3 light_before;
out vec4 air;
flat out vec3 across;
flat out float salt;
flat out float snow;
flat out float sky_share;
flat out ivec2 kinds;

void main() {
    relative = position + shift;
    place = spot;
    tint = colour.rgb * colour.rgb;
    across = vec3(normal) / 127.0;
    light_before = lit(across, lights.xyz);
    sky_share = lights.x;
    float range = length(relative);
    air = air_between(range, relative / range);
    salt = colour.a;
    snow = float(traits.z) / 255.0;
    kinds = ivec2(traits.xy);
    gl_Position = turn * vec4(relative, 1.0);
}
