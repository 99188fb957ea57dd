#version 450
#extension GL_GOOGLE_include_directive : require
// Bilinear resize; the constants hold for each row and column two cells, a float weight and one of 256 parts.
#include "common.glsl"
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
    const int ys = p.rows + 4 * row;
    const int xs = p.columns + 4 * column;
    const int top = p.in_base + int(constants[ys]) * p.in_step[0] + c * p.in_step[2];
    const int bottom = p.in_base + int(constants[ys + 1]) * p.in_step[0] + c * p.in_step[2];
    const int left = int(constants[xs]) * p.in_step[1];
    const int right = int(constants[xs + 1]) * p.in_step[1];
    const int out_at = p.out_base + row * p.out_step[0] + column * p.out_step[1] + c * p.out_step[2];
#ifdef INT8
    const int wx = int(constants[xs + 3]);
    const int wy = int(constants[ys + 3]);
    const int upper = int(a8[top + left]) * (256 - wx) + int(a8[top + right]) * wx;
    const int lower = int(a8[bottom + left]) * (256 - wx) + int(a8[bottom + right]) * wx;
    out8[out_at] = int8_t((upper * (256 - wy) + lower * wy + 32768) >> 16);
#else
    const float wx = constant_f(xs + 2);
    const float wy = constant_f(ys + 2);
    const float upper = load_a(top + left) * (1.0 - wx) + load_a(top + right) * wx;
    const float lower = load_a(bottom + left) * (1.0 - wx) + load_a(bottom + right) * wx;
    store(out_at, upper * (1.0 - wy) + lower * wy);
#endif
}
