// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// Stands after environment.glsl and scene_fragment.glsl. Added to what is behind.

in vec2 spot;
in vec3 relative;
flat in vec4 tint;

void main() {
    float out_from = length(spot);
    float halo = max(1.0 - out_from, 0.0);
    float core = 1.0 - smoothstep(0.30, 0.42, out_from);
    float clear = exp2(-1.443 * environment_extinction * length(relative));
    radiance = vec4(tint.rgb * (mix(halo * halo * halo, core, tint.a) * clear * lamp_gain), 0.0);
}
