#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
// Convolution as an implicit matrix product: rows are output pixels, columns output channels, the inner dimension runs
// over taps and channels in words (four int8 channels, or one float). Tiles of both sides go through shared memory.
#ifdef DOT
#extension GL_EXT_spirv_intrinsics : require
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int packed_dot(uint a, uint b, spirv_literal int format);  // OpSDot, PackedVectorFormat4x8Bit
#endif
#include "common.glsl"
layout(constant_id = 0) const int KERNEL_H = 1;
layout(constant_id = 1) const int KERNEL_W = 1;
#include "epilogue.glsl"
layout(constant_id = 4) const int PIXELS = 4;  // of an invocation

#include "words.glsl"
#ifndef INT8
#define MULTIPLY_ADD(sum, x, y) sum += x * y
#elif defined(DOT)
#define MULTIPLY_ADD(sum, x, y) sum += packed_dot(x, y, 0)
#else
int plain_dot(uint x, uint y) {
    return byte_of(x, 0) * byte_of(y, 0) + byte_of(x, 1) * byte_of(y, 1) + byte_of(x, 2) * byte_of(y, 2) +
           byte_of(x, 3) * byte_of(y, 3);
}
#define MULTIPLY_ADD(sum, x, y) sum += plain_dot(x, y)
#endif

const int DEPTH = 8;     // words of a tile
const int COLUMNS = 32;  // outputs of a work group
const int ROWS = 8 * PIXELS;
shared WORD pixels_tile[DEPTH * (8 * PIXELS + 1)];
shared WORD weights_tile[DEPTH * COLUMNS];

void main() {
    const int id = int(gl_LocalInvocationID.x);
    const int load_k = id & 7;
    const int load_row = id >> 3;
    const int column = (id & 7) * 4;
    const int row = (id >> 3) * PIXELS;
    const int group = int(gl_WorkGroupID.z);
    const int first_column = int(gl_WorkGroupID.x) * COLUMNS;
    const int first_row = int(gl_WorkGroupID.y) * ROWS;
    const int words = (p.channels + CHANNELS - 1) / CHANNELS;
    const int depth = KERNEL_H * KERNEL_W * words;
    const int rows = p.out_h * p.out_w;
    const int in_base = p.in_base + group * p.channels;
    const int weights = p.weights + group * ((depth + DEPTH - 1) / DEPTH * DEPTH) * p.n + first_column;

    int out_y[PIXELS];
    int out_x[PIXELS];
    for (int i = 0; i < PIXELS; ++i) {
        const int pixel = min(first_row + load_row + 8 * i, rows - 1);
        out_y[i] = pixel / p.out_w;
        out_x[i] = pixel - out_y[i] * p.out_w;
    }
    QUAD sum[PIXELS];
    for (int i = 0; i < PIXELS; ++i) {
        sum[i] = QUAD(0);
    }
    for (int k0 = 0; k0 < depth; k0 += DEPTH) {
        const int k = k0 + load_k;
        const int tap = k / words;
        const int channel = (k - tap * words) * CHANNELS;
        const int tap_y = tap / KERNEL_W;
        const int tap_x = tap - tap_y * KERNEL_W;
        for (int i = 0; i < PIXELS; ++i) {
            const int y = source(out_y[i], tap_y, p.stride_h, p.dilation_h, p.pad_top);
            const int x = source(out_x[i], tap_x, p.stride_w, p.dilation_w, p.pad_left);
            WORD word = padding();
            if (y >= 0 && y < p.in_h && x >= 0 && x < p.in_w && k < depth) {
                word = load_word(in_base + y * p.in_row + x * p.in_col + channel, p.channels - channel);
            }
            pixels_tile[load_k * (ROWS + 1) + load_row + 8 * i] = word;
        }
        for (int i = id; i < DEPTH * COLUMNS; i += 64) {
            weights_tile[i] = weight(weights + (k0 + i / COLUMNS) * p.n + i % COLUMNS);
        }
        barrier();
#ifdef ARITHMETIC16
        TERMS part[PIXELS];  // of a tile: DEPTH products
        for (int i = 0; i < PIXELS; ++i) {
            part[i] = TERMS(0);
        }
#else
#define part sum
#endif
        [[dont_unroll]] for (int step = 0; step < DEPTH; ++step) {  // unrolled it is slow to compile and no faster
            for (int i = 0; i < PIXELS; ++i) {
                const WORD x = pixels_tile[step * (ROWS + 1) + row + i];
                for (int j = 0; j < 4; ++j) {
                    MULTIPLY_ADD(part[i][j], x, weights_tile[step * COLUMNS + column + j]);
                }
            }
        }
#ifdef ARITHMETIC16
        for (int i = 0; i < PIXELS; ++i) {
            sum[i] += QUAD(part[i]);
        }
#endif
        barrier();
    }
    const int channel = first_column + column;
    [[dont_unroll]] for (int i = 0; i < PIXELS; ++i) {
        const int pixel = first_row + row + i;
        if (pixel < rows && channel < p.outputs) {
            const int y = pixel / p.out_w;
            const int at = p.out_base + group * p.outputs + y * p.out_row + (pixel - y * p.out_w) * p.out_col + channel;
            finish(at, group * p.outputs + channel, p.outputs - channel, sum[i]);
        }
    }
}
