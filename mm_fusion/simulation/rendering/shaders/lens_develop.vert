// SPDX-FileCopyrightText: 2026 mm_fusion contributors
// SPDX-License-Identifier: Apache-2.0
// A cell of the picture. It is drawn by the program that has what the cell needs and no more:
// BLURRED where something moves, DROPPED where a drop lies.

uniform sampler2D metered;
uniform sampler2D exposed;
uniform sampler2D drop_cells;
uniform vec3 sun_glare;

in vec2 corner;
in vec2 middle;

out vec2 place;
flat out float exposure;
flat out vec3 glare;

const ivec2 CELLS = ivec2(32, 18);
const float LEAST_MOTION = 1.2;

void main() {
    ivec2 cell = ivec2(middle);
    place = corner / vec2(CELLS);
    bool mine = true;
#ifdef BLUR_KNOWN
    bool moves = texelFetch(metered, cell, 0).a > LEAST_MOTION;
#ifdef BLURRED
    mine = mine && moves;
#else
    mine = mine && !moves;
#endif
#endif
    bool drops = texelFetch(drop_cells, cell, 0).r > 0.5;
#ifdef DROPPED
    mine = mine && drops;
#else
    mine = mine && !drops;
#endif
    gl_Position = mine ? vec4(2.0 * place - 1.0, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
    vec4 automatic = texelFetch(exposed, ivec2(0), 0);
    exposure = automatic.r;
    glare = sun_glare * automatic.g;
}
