// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Vehicles: one body for each kind, placed once for each vehicle. Stands after scene_light.glsl.

uniform mat4 turn;
in vec3 position;
in ivec3 normal;
in vec4 colour;
in vec4 place;        // instance: from the eye (m), heading in w
in vec3 scale;        // instance
in vec4 paint;        // instance: linear RGB; whether headlights are on
in vec4 lights;       // instance: sky, street lamps, tunnel lamps; brake lights
in vec2 blue;         // instance: strength of the left and the right blue lamp
out vec3 relative;
out vec3 across;
out vec3 tint;
out vec3 light_before;
out vec4 air;
flat out float sky_share;
flat out vec3 glow;   // brake, head, blue
flat out int finish;

void main() {
    vec2 ahead = vec2(cos(place.w), sin(place.w));
    mat2 heading = mat2(ahead, vec2(-ahead.y, ahead.x));
    vec3 local = position * scale;
    relative = vec3(place.xy + heading * local.xy, local.z - eye.z);
    vec3 bent = vec3(normal) / (127.0 * scale);
    across = vec3(heading * bent.xy, bent.z);
    finish = int(colour.a * 255.0 + 0.5);
    tint = finish == 0 ? paint.rgb : colour.rgb * colour.rgb;
    // Near the ground the vehicle itself takes a part of the sky away.
    float open = mix(0.55, 1.0, smoothstep(0.0, 1.0, local.z + max(bent.z, 0.0)));
    light_before = lit(normalize(across), lights.xyz) * open;
    sky_share = lights.x;
    float range = length(relative);
    air = air_between(range, relative / range);
    glow = vec3(lights.w, paint.a, position.y > 0.0 ? blue.x : blue.y);
    gl_Position = turn * vec4(relative, 1.0);
}
