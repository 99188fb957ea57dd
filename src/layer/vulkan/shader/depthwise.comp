#version 450
#extension GL_GOOGLE_include_directive : require
// Convolution of every channel with a filter of its own: an invocation makes four channels of a pixel.
#include "common.glsl"
layout(constant_id = 0) const int KERNEL_H = 3;
layout(constant_id = 1) const int KERNEL_W = 3;
#include "epilogue.glsl"

QUAD weights_of(int at) {
#ifdef INT8
    const uint word = constants[at];
    return QUAD(byte_of(word, 0), byte_of(word, 1), byte_of(word, 2), byte_of(word, 3));
#else
    return QUAD(weight_f(4 * at), weight_f(4 * at + 1), weight_f(4 * at + 2), weight_f(4 * at + 3));
#endif
}
QUAD padding() {
#ifdef INT8
    return QUAD(byte_of(p.pad, 0));
#else
    return QUAD(uintBitsToFloat(p.pad));
#endif
}

void main() {
    const int quads = (p.outputs + 3) / 4;
    const uint id = linear_id();
    if (id >= uint(quads * p.out_h * p.out_w)) {
        return;
    }
    const int pixel = int(id) / quads;
    const int channel = (int(id) - pixel * quads) * 4;
    const int out_y = pixel / p.out_w;
    const int out_x = pixel - out_y * p.out_w;
    QUAD sum = QUAD(0);
    for (int ky = 0; ky < KERNEL_H; ++ky) {
        TERMS row = TERMS(0);
        const int y = source(out_y, ky, p.stride_h, p.dilation_h, p.pad_top);
        for (int kx = 0; kx < KERNEL_W; ++kx) {
            const int x = source(out_x, kx, p.stride_w, p.dilation_w, p.pad_left);
            QUAD value = padding();
            if (y >= 0 && y < p.in_h && x >= 0 && x < p.in_w) {
                value = load_quad(p.in_base + y * p.in_row + x * p.in_col + channel, p.outputs - channel,
                                  ALIGNED_IN && channel + 4 <= p.outputs);
            }
            row += TERMS(value) * TERMS(weights_of(p.weights + (ky * KERNEL_W + kx) * (p.n / 4) + channel / 4));
        }
        sum += QUAD(row);
    }
    finish(p.out_base + out_y * p.out_row + out_x * p.out_col + channel, channel, p.outputs - channel, sum);
}
