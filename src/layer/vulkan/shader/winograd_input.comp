#version 450
#extension GL_GOOGLE_include_directive : require
// Winograd's F(2x2, 3x3), input: an invocation makes the 16 numbers of a tile and a channel from 4x4 pixels, B^T d B.
// They are float32, whatever the blob is: [tile][number][channel].
#include "common.glsl"
layout(push_constant) uniform Push {
    int in_base, in_row, in_col, in_h, in_w;
    int pad_top, pad_left;
    int tiles_h, tiles_w;
    int channels;
    float pad;
} p;

void main() {
    const uint id = linear_id();
    if (id >= uint(p.tiles_h * p.tiles_w * p.channels)) {
        return;
    }
    const int tile = int(id) / p.channels;
    const int channel = int(id) - tile * p.channels;
    const int tile_y = tile / p.tiles_w;
    const int y0 = tile_y * 2 - p.pad_top;
    const int x0 = (tile - tile_y * p.tiles_w) * 2 - p.pad_left;
    float rows[4][4];  // B^T d, transposed: [x][row]
    for (int x = 0; x < 4; ++x) {
        float d[4];
        for (int y = 0; y < 4; ++y) {
            const bool inside = y0 + y >= 0 && y0 + y < p.in_h && x0 + x >= 0 && x0 + x < p.in_w;
            d[y] = p.pad;
            if (inside) {
                d[y] = load_a(p.in_base + (y0 + y) * p.in_row + (x0 + x) * p.in_col + channel);
            }
        }
        rows[x][0] = d[0] - d[2];
        rows[x][1] = d[1] + d[2];
        rows[x][2] = d[2] - d[1];
        rows[x][3] = d[1] - d[3];
    }
    for (int y = 0; y < 4; ++y) {
        const int at = (tile * 16 + y * 4) * p.channels + channel;
        out32[at] = floatBitsToUint(rows[0][y] - rows[2][y]);
        out32[at + p.channels] = floatBitsToUint(rows[1][y] + rows[2][y]);
        out32[at + 2 * p.channels] = floatBitsToUint(rows[2][y] - rows[1][y]);
        out32[at + 3 * p.channels] = floatBitsToUint(rows[1][y] - rows[3][y]);
    }
}
