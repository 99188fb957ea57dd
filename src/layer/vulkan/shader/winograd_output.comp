#version 450
#extension GL_GOOGLE_include_directive : require
// Winograd's F(2x2, 3x3), output: an invocation makes 2x2 pixels of four channels, A^T m A, from products in float32,
// [tile][number][channel]. The push constants' input is these: `in_h` x `in_w` tiles, `in_col` words each.
#include "common.glsl"
#include "epilogue.glsl"

vec4 product(int at, int count) {
    vec4 m = vec4(0.0);
    for (int i = 0; i < min(count, 4); ++i) {
        m[i] = uintBitsToFloat(a32[at + i]);
    }
    return m;
}

void main() {
    const int quads = (p.outputs + 3) / 4;
    const uint id = linear_id();
    if (id >= uint(quads * p.in_h * p.in_w)) {
        return;
    }
    const int tile = int(id) / quads;
    const int channel = (int(id) - tile * quads) * 4;
    const int count = p.outputs - channel;
    vec4 rows[2][4];  // A^T m
    for (int x = 0; x < 4; ++x) {
        vec4 m[4];
        for (int y = 0; y < 4; ++y) {
            m[y] = product(tile * p.in_col + (y * 4 + x) * p.outputs + channel, count);
        }
        rows[0][x] = m[0] + m[1] + m[2];
        rows[1][x] = m[1] - m[2] - m[3];
    }
    const int tile_y = tile / p.in_w;
    const int out_y = tile_y * 2;
    const int out_x = (tile - tile_y * p.in_w) * 2;
    for (int i = 0; i < 2; ++i) {
        const vec4 pair[2] = {rows[i][0] + rows[i][1] + rows[i][2], rows[i][1] - rows[i][2] - rows[i][3]};
        for (int j = 0; j < 2; ++j) {
            if (out_y + i < p.out_h && out_x + j < p.out_w) {
                finish(p.out_base + (out_y + i) * p.out_row + (out_x + j) * p.out_col + channel, channel, count,
                       pair[j]);
            }
        }
    }
}
