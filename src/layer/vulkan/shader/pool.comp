#version 450
#extension GL_GOOGLE_include_directive : require
// Maximum or average over windows: an invocation makes four channels of a pixel.
#include "common.glsl"
layout(constant_id = 0) const bool AVERAGE = false;
layout(constant_id = 1) const bool ALIGNED_IN = false;
layout(constant_id = 2) const bool ALIGNED_OUT = false;
layout(push_constant) uniform Push {
    int in_base, in_row, in_col;
    int out_base, out_row, out_col, out_h, out_w;
    int channels;
    int windows_y, windows_x, factors;  // in the constants: begin and end of each; a factor a window
    int zero_point_in, zero_point;
    float lo, hi;
    float first;  // of a maximum
} p;

void main() {
    const int quads = (p.channels + 3) / 4;
    const uint id = linear_id();
    if (id >= uint(quads * p.out_h * p.out_w)) {
        return;
    }
    const int pixel = int(id) / quads;
    const int channel = (int(id) - pixel * quads) * 4;
    const int out_y = pixel / p.out_w;
    const int out_x = pixel - out_y * p.out_w;
    const int y0 = int(constants[p.windows_y + 2 * out_y]);
    const int y1 = int(constants[p.windows_y + 2 * out_y + 1]);
    const int x0 = int(constants[p.windows_x + 2 * out_x]);
    const int x1 = int(constants[p.windows_x + 2 * out_x + 1]);
    const int left = p.channels - channel;
    QUAD total = AVERAGE ? QUAD(0) : QUAD(p.first);
    for (int y = y0; y < y1; ++y) {
        QUAD row = QUAD(0);
        for (int x = x0; x < x1; ++x) {
            const QUAD cell =
                load_quad(p.in_base + y * p.in_row + x * p.in_col + channel, left, ALIGNED_IN && left >= 4);
            if (AVERAGE) {
                row += cell;
            } else {
                for (int i = 0; i < 4; ++i) {
                    total[i] = cell[i] > total[i] ? cell[i] : total[i];
                }
            }
        }
        total += row;
    }
    const int at = p.out_base + out_y * p.out_row + out_x * p.out_col + channel;
    const float factor = constant_f(p.factors + pixel);
#ifdef INT8
    if (AVERAGE) {
        const int offset = p.zero_point_in * (y1 - y0) * (x1 - x0);
        for (int i = 0; i < 4; ++i) {
            total[i] = to_level(to_float(total[i] - offset) * factor, p.lo, p.hi, p.zero_point);
        }
    }
    store_quad(at, left, ALIGNED_OUT && left >= 4, total);
#else
    store_floats(at, left, AVERAGE ? total * factor : total);
#endif
}
