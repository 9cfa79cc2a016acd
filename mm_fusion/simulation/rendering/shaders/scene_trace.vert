// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// What a vehicle does to the ground around it: its shadow, and the light of its headlights.

uniform mat4 turn;
uniform vec3 eye;
uniform vec3 sun_direction;
uniform float pools;  // 1 where headlights are seen on the ground
in vec2 corner;       // -1 to 1, ahead and left
in vec4 place;        // instance
in vec4 paint;        // instance
in vec4 lights;       // instance
in vec4 extent;       // instance: front, rear, half width, height (m)
out vec3 relative;
out vec2 local;
flat out vec2 towards_sun;
flat out vec4 box;
flat out float beams;
flat out float sky_share;

void main() {
    vec2 ahead = vec2(cos(place.w), sin(place.w));
    mat2 heading = mat2(ahead, vec2(-ahead.y, ahead.x));
    towards_sun = transpose(heading) * sun_direction.xy / max(sun_direction.z, 0.12);
    vec2 fall = -towards_sun * extent.w * step(0.02, sun_direction.z);
    box = extent;
    sky_share = lights.x;
    beams = pools * paint.a;
    vec2 low = vec2(-extent.y, -extent.z) - 0.7 + min(fall, vec2(0.0));
    vec2 high = vec2(extent.x, extent.z) + 0.7 + max(fall, vec2(0.0));
    if (beams > 0.0) {
        high.x = extent.x + 26.0;
        low.y = min(low.y, -4.5);
        high.y = max(high.y, 4.5);
    }
    local = mix(low, high, 0.5 + 0.5 * corner);
    relative = vec3(place.xy + heading * local, -eye.z);
    gl_Position = turn * vec4(relative, 1.0);
    gl_Position.z -= 2e-5 * gl_Position.w;
}
