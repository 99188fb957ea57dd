#version 450
#extension GL_GOOGLE_include_directive : require
// Each output cell is an input cell that a list for each axis names, or a fill value.
#include "common.glsl"
layout(push_constant) uniform Push {
    int extent[4];  // d, h, w, c: the innermost last
    int out_step[4], in_step[4], map[4];
    int out_base, in_base, fill, count;
} p;

void main() {
    const uint id = linear_id();
    if (id >= uint(p.count)) {
        return;
    }
    int rest = int(id);
    int out_at = p.out_base;
    int in_at = p.in_base;
    int channel = 0;
    bool outside = false;
    for (int i = 3; i >= 0; --i) {
        const int next = rest / p.extent[i];
        const int index = rest - next * p.extent[i];
        rest = next;
        channel = i == 3 ? index : channel;
        const int from = int(constants[p.map[i] + index]);
        outside = outside || from < 0;
        out_at += index * p.out_step[i];
        in_at += from * p.in_step[i];
    }
#ifdef INT8
    out8[out_at] = outside ? int8_t(int(constant_f(p.fill + channel))) : a8[in_at];
#else
    store(out_at, outside ? constant_f(p.fill + channel) : load_a(in_at));
#endif
}
