#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#pragma use_vulkan_memory_model
// The matrix product of conv.comp by cooperative matrices. Four subgroups make a tile of outputs, two by two; each keeps
// the sums of its quarter in matrices. Both sides, and the sums at the end, go through shared memory.
#include "common.glsl"
layout(constant_id = 0) const int KERNEL_H = 1;
layout(constant_id = 1) const int KERNEL_W = 1;
#include "epilogue.glsl"
layout(constant_id = 4) const int INVOCATIONS = 128;  // of four subgroups
layout(constant_id = 5) const int BLOCK_ROWS = 32;    // of a subgroup
layout(constant_id = 6) const int BLOCK_COLUMNS = 32;
layout(constant_id = 7) const int M = 16;  // rows, columns and depth of a matrix product
layout(constant_id = 8) const int N = 16;
layout(constant_id = 9) const int K = 16;
#include "words.glsl"
#include "matrix.glsl"


// Words of a tile's rows, all and with what keeps banks apart; rows begin at multiples of 16 bytes.
#ifdef INT8
const int DEPTH = 8;
const int STRIDE = 12;
#else
const int DEPTH = 32;
const int STRIDE = 40;
#endif
const int STEP = K / CHANNELS;  // words of a product
const int ROWS = 2 * BLOCK_ROWS;
const int COLUMNS = 2 * BLOCK_COLUMNS;
const int DOWN = BLOCK_ROWS / M;  // matrices of a subgroup
const int ACROSS = BLOCK_COLUMNS / N;
shared WORD pixels_tile[ROWS * STRIDE];
shared WORD weights_tile[COLUMNS * STRIDE];
shared SUM sums_tile[4 * M * N];
shared int row_y[ROWS];  // of the output
shared int row_x[ROWS];

void main() {
    const int id = int(gl_LocalInvocationIndex);
    const int subgroup = int(gl_SubgroupID);
    const int block_row = subgroup / 2 * BLOCK_ROWS;
    const int block_column = subgroup % 2 * BLOCK_COLUMNS;
    const int group = int(gl_WorkGroupID.z);
    const int first_column = int(gl_WorkGroupID.x) * COLUMNS;
    const int first_row = int(gl_WorkGroupID.y) * ROWS;
    const int words = (p.channels + CHANNELS - 1) / CHANNELS;
    const int depth = KERNEL_H * KERNEL_W * words;
    const int rows = p.out_h * p.out_w;
    const int in_base = p.in_base + group * p.channels;
    const int weights = p.weights + group * ((depth + 7) / 8 * 8) * p.n;
    const int load_k = id % DEPTH;

    for (int row = id; row < ROWS; row += INVOCATIONS) {
        const int pixel = min(first_row + row, rows - 1);
        row_y[row] = pixel / p.out_w;
        row_x[row] = pixel - row_y[row] * p.out_w;
    }
    MATRIX_SUM sum[DOWN * ACROSS];
    [[unroll]] for (int i = 0; i < DOWN * ACROSS; ++i) {
        sum[i] = filled(SUM(0));
    }
    for (int k0 = 0; k0 < depth; k0 += DEPTH) {
        barrier();  // the last products have read the tiles
        const int k = k0 + load_k;
        const int tap = k / words;
        const int channel = (k - tap * words) * CHANNELS;
        const int tap_y = tap / KERNEL_W;
        const int tap_x = tap - tap_y * KERNEL_W;
        for (int row = id / DEPTH; row < ROWS; row += INVOCATIONS / DEPTH) {
            const int y = source(row_y[row], tap_y, p.stride_h, p.dilation_h, p.pad_top);
            const int x = source(row_x[row], tap_x, p.stride_w, p.dilation_w, p.pad_left);
            WORD word = k < depth ? padding() : WORD(0);  // weights are 0 there, padding may be infinite
            if (y >= 0 && y < p.in_h && x >= 0 && x < p.in_w && k < depth) {
                word = load_word(in_base + y * p.in_row + x * p.in_col + channel, p.channels - channel);
            }
            pixels_tile[row * STRIDE + load_k] = word;
        }
        for (int i = id; i < DEPTH * COLUMNS; i += INVOCATIONS) {
            const int at = i / COLUMNS;
            const int column = i % COLUMNS;
            WORD word = WORD(0);  // whatever is beside the weights
            if (k0 + at < depth && first_column + column < p.n) {
                word = weight(weights + (k0 + at) * p.n + first_column + column);
            }
            weights_tile[column * STRIDE + at] = word;
        }
        barrier();
        [[dont_unroll]] for (int step = 0; step < DEPTH; step += STEP) {
            MATRIX_B b[ACROSS];
            [[unroll]] for (int j = 0; j < ACROSS; ++j) {
                b[j] = LOAD_B(weights_tile[(block_column + j * N) * STRIDE + step], STRIDE);
            }
            [[unroll]] for (int i = 0; i < DOWN; ++i) {
                const MATRIX_A a = LOAD_A(pixels_tile[(block_row + i * M) * STRIDE + step], STRIDE);
                [[unroll]] for (int j = 0; j < ACROSS; ++j) {
                    sum[i * ACROSS + j] = MULTIPLY_ADD(a, b[j], sum[i * ACROSS + j]);
                }
            }
        }
    }
    const int sums = subgroup * M * N;
    [[unroll]] for (int i = 0; i < DOWN * ACROSS; ++i) {
        STORE_SUM(sums_tile[sums], sum[i], N);
        barrier();
        for (int quad = int(gl_SubgroupInvocationID) * 4; quad < M * N; quad += INVOCATIONS) {
            const int pixel = first_row + block_row + i / ACROSS * M + quad / N;
            const int channel = first_column + block_column + i % ACROSS * N + quad % N;
            if (pixel < rows && channel < p.outputs) {
                const int y = pixel / p.out_w;
                const int at = p.out_base + group * p.outputs + y * p.out_row + (pixel - y * p.out_w) * p.out_col + channel;
                const int s = sums + quad;
                finish(at, group * p.outputs + channel, p.outputs - channel,
                       QUAD(sums_tile[s], sums_tile[s + 1], sums_tile[s + 2], sums_tile[s + 3]));
            }
        }
        barrier();
    }
}
