#version 450
#extension GL_GOOGLE_include_directive : require
// Bilinear and bicubic resize; the constants hold for each row and column TAPS cells, as many float weights, and int8's
// second weight of 256 parts.
#include "common.glsl"
layout(constant_id = 0) const int TAPS = 2;
const int SAMPLE = 2 * TAPS + 1;
layout(push_constant) uniform Push {
    int extent[3];  // h, w, c
    int out_step[3], in_step[3];
    int rows, columns;
    int out_base, in_base;
} p;

void main() {
    const uint id = linear_id();
    if (id >= uint(p.extent[0] * p.extent[1] * p.extent[2])) {
        return;
    }
    const int pixel = int(id) / p.extent[2];
    const int c = int(id) - pixel * p.extent[2];
    const int row = pixel / p.extent[1];
    const int column = pixel - row * p.extent[1];
    const int ys = p.rows + SAMPLE * row;
    const int xs = p.columns + SAMPLE * column;
    const int in_at = p.in_base + c * p.in_step[2];
    const int out_at = p.out_base + row * p.out_step[0] + column * p.out_step[1] + c * p.out_step[2];
#ifdef INT8
    const int top = in_at + int(constants[ys]) * p.in_step[0];
    const int bottom = in_at + int(constants[ys + 1]) * p.in_step[0];
    const int left = int(constants[xs]) * p.in_step[1];
    const int right = int(constants[xs + 1]) * p.in_step[1];
    const int wx = int(constants[xs + 2 * TAPS]);
    const int wy = int(constants[ys + 2 * TAPS]);
    const int upper = int(a8[top + left]) * (256 - wx) + int(a8[top + right]) * wx;
    const int lower = int(a8[bottom + left]) * (256 - wx) + int(a8[bottom + right]) * wx;
    out8[out_at] = int8_t((upper * (256 - wy) + lower * wy + 32768) >> 16);
#else
    float value = 0.0;
    for (int j = 0; j < TAPS; ++j) {
        const int line = in_at + int(constants[ys + j]) * p.in_step[0];
        float sum = 0.0;
        for (int i = 0; i < TAPS; ++i) {
            sum += load_a(line + int(constants[xs + i]) * p.in_step[1]) * constant_f(xs + TAPS + i);
        }
        value += sum * constant_f(ys + TAPS + j);
    }
    store(out_at, value);
#endif
}
