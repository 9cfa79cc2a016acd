// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// What stands beside the road. Stands after scene_light.glsl.
//
// Software OpenGL computes both sides of each branch, so materials are numbers where they can be,
// and what varies slowly over a face is computed at its corners.

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
out vec3 sheen;          // what the surface mirrors, times its share
out vec4 air;
flat out vec3 across;
flat out vec4 grain;     // cells a metre along and up, their contrast, contrast of rows of tiles
flat out vec4 lamp;      // radiance; w: 1 for a reflector
flat out vec3 wall;      // 1 for a wall with windows; random number; share of the sky
flat out int index;

const int FACADE = 1, TILES = 2, STREET_LAMP = 3, TUNNEL_LAMP = 4, CONCRETE = 5, METAL = 6,
          REFLECTOR = 7;

void main() {
    relative = position + shift;
    place = spot;
    across = vec3(normal) / 127.0;
    int material = int(traits.y);
    float range = length(relative);
    vec3 view = relative / range;
    air = air_between(range, view);
    light_before = lit(across, lights.xyz);
    float snow = float(traits.z) / 255.0 * smoothstep(0.25, 0.6, across.z);
    tint = mix(colour.rgb * colour.rgb, vec3(0.80, 0.82, 0.85), snow);
    wall = vec3(material == FACADE ? 1.0 : 0.0, colour.a, lights.x);
    vec3 away = reflect(view, across);
    float fresnel = 0.10 + 0.75 * pow(1.0 - abs(dot(view, across)), 3.0);
    vec3 street = vec3(0.17, 0.18, 0.17) * light(vec3(0.0, 0.0, 1.0));
    sheen = vec3(0.0);
    if (material == FACADE)
        sheen = mix(street, sky_smooth(away), smoothstep(0.0, 0.25, away.z)) * fresnel;
    if (material == METAL) sheen = sky_smooth(vec3(away.xy, abs(away.z))) * (0.22 * lights.x);
    grain = vec4(1.0, 1.0, 0.0, 0.0);
    if (material == FACADE) grain = vec4(3.0, 3.0, 0.08, 0.0);
    if (material == TILES) grain = vec4(4.0, 3.2, 0.12, 0.35) * vec4(1.0, 1.0, vec2(1.0 - snow));
    if (material == CONCRETE) grain = vec4(0.4, 1.6, 0.12, 0.0);
    lamp = vec4(0.0);
    if (material == STREET_LAMP) lamp.rgb = vec3(1.5, 1.1, 0.7) * lamps_on;
    if (material == TUNNEL_LAMP) lamp.rgb = vec3(2.2, 2.0, 1.6);
    if (material == REFLECTOR) lamp.a = 1.0;
    index = int(traits.x);
    gl_Position = turn * vec4(relative, 1.0);
}
