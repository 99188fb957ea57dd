#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
// Products of float matrices of any strides, a batch of them in two axes: out = a * b. Tiles of 32 x 32 outputs, 4 x 4
// an invocation; both sides go through shared memory.
#include "common.glsl"
layout(push_constant) uniform Push {
    int rows, columns, inner, batches;  // of the inner axis of the batch
    int a_base, a_step[4];              // outer and inner axis of the batch, row, column
    int b_base, b_step[4];
    int out_base, out_step[4];
} p;
const int TILE = 32;
const int DEPTH = 8;
const int PITCH = TILE + 1;
shared float a_tile[DEPTH * PITCH];
shared float b_tile[DEPTH * PITCH];

void main() {
    const int id = int(gl_LocalInvocationID.x);
    const int first_row = int(gl_WorkGroupID.y) * TILE;
    const int first_column = int(gl_WorkGroupID.x) * TILE;
    const int outer = int(gl_WorkGroupID.z) / p.batches;
    const int batch = int(gl_WorkGroupID.z) - outer * p.batches;
    const int a_at = p.a_base + outer * p.a_step[0] + batch * p.a_step[1];
    const int b_at = p.b_base + outer * p.b_step[0] + batch * p.b_step[1];
    const int row = (id >> 3) * 4;
    const int column = (id & 7) * 4;
    float sum[16];
    [[unroll]] for (int i = 0; i < 16; ++i) {
        sum[i] = 0.0;
    }
    for (int k = 0; k < p.inner; k += DEPTH) {
        for (int i = id; i < DEPTH * TILE; i += 64) {
            const int a_k = k + (i & 7);
            const int a_row = first_row + (i >> 3);
            const bool a_there = a_k < p.inner && a_row < p.rows;
            a_tile[(i & 7) * PITCH + (i >> 3)] = a_there ? load_a(a_at + a_row * p.a_step[2] + a_k * p.a_step[3]) : 0.0;
            const int b_k = k + (i >> 5);
            const int b_column = first_column + (i & 31);
            const bool b_there = b_k < p.inner && b_column < p.columns;
            b_tile[(i >> 5) * PITCH + (i & 31)] =
                b_there ? load_b(b_at + b_k * p.b_step[2] + b_column * p.b_step[3]) : 0.0;
        }
        barrier();
        [[unroll]] for (int depth = 0; depth < DEPTH; ++depth) {
            [[unroll]] for (int i = 0; i < 16; ++i) {
                sum[i] += a_tile[depth * PITCH + row + (i >> 2)] * b_tile[depth * PITCH + column + (i & 3)];
            }
        }
        barrier();
    }
    const int out_at = p.out_base + outer * p.out_step[0] + batch * p.out_step[1];
    [[unroll]] for (int i = 0; i < 16; ++i) {
        const int y = first_row + row + (i >> 2);
        const int x = first_column + column + (i & 3);
        if (y < p.rows && x < p.columns) {
            store(out_at + y * p.out_step[2] + x * p.out_step[3], sum[i]);
        }
    }
}
