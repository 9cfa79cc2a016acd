// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl. Blended: colour is added, alpha takes away.

uniform float sun_share;  // of the light on level ground
in vec3 relative;
in vec2 local;
flat in vec2 towards_sun;
flat in vec4 box;
flat in float beams;
flat in float sky_share;

// Whether the way from the ground to the sun leads through the vehicle.
float shaded() {
#ifdef FULL
    return 0.0;
#else
    vec2 middle = vec2(0.5 * (box.x - box.y), 0.0);
    vec2 half_size = vec2(0.5 * (box.x + box.y) - 0.15, box.z - 0.08);
    vec2 steps = towards_sun + vec2(1e-4);
    vec2 one = (middle - half_size - local) / steps;
    vec2 other = (middle + half_size - local) / steps;
    vec2 first = min(one, other), last = max(one, other);
    float enter = max(max(first.x, first.y), 0.15);
    float leave = min(min(last.x, last.y), 0.88 * box.w);
    return smoothstep(0.0, 0.25, leave - enter);
#endif
}

void main() {
    vec2 middle = vec2(0.5 * (box.x - box.y), 0.0);
    vec2 half_size = vec2(0.5 * (box.x + box.y), box.z) - 0.35;
    float outside = length(max(abs(local - middle) - half_size, 0.0));
    float near = 1.0 - smoothstep(0.0, 0.95, outside);
    float left = (1.0 - 0.82 * near * near) * (1.0 - sun_share * sky_share * shaded());
    vec3 added = vec3(0.0);
    if (beams > 0.0) {
        float ahead = local.x - box.x;
        float spread = local.y / (1.2 + 0.16 * max(ahead, 0.0));
        float pool = smoothstep(0.3, 3.5, ahead) * (1.0 - smoothstep(8.0, 26.0, ahead))
                   * exp2(-1.6 * spread * spread);
        added = BEAM_LIGHT * (0.055 * pool);
    }
    float range = length(relative);
    float clear = exp2(-1.443 * environment_extinction * range);
    radiance = vec4(added * clear, (1.0 - left) * clear);
}
