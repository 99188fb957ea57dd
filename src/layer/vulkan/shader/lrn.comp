#version 450
#extension GL_GOOGLE_include_directive : require
// LRN: an invocation makes one element from the squares of its neighbours.
#include "common.glsl"
layout(constant_id = 0) const bool ACROSS = true;
layout(push_constant) uniform Push {
    int extent[3];  // h, w, c: the innermost last
    int out_step[3], in_step[3];
    int out_base, in_base, count;
    int half_size;
    float factor, beta, bias;
} p;

float square(int at) { return load_a(at) * load_a(at); }

void main() {
    const uint id = linear_id();
    if (id >= uint(p.count)) {
        return;
    }
    const int pixel = int(id) / p.extent[2];
    const int c = int(id) - pixel * p.extent[2];
    const int y = pixel / p.extent[1];
    const int x = pixel - y * p.extent[1];
    const int at = p.in_base + y * p.in_step[0] + x * p.in_step[1] + c * p.in_step[2];
    float sum = 0.0;
    if (ACROSS) {
        for (int k = max(-p.half_size, -c); k <= min(p.half_size, p.extent[2] - 1 - c); ++k) {
            sum += square(at + k * p.in_step[2]);
        }
    } else {
        for (int v = max(-p.half_size, -y); v <= min(p.half_size, p.extent[0] - 1 - y); ++v) {
            for (int u = max(-p.half_size, -x); u <= min(p.half_size, p.extent[1] - 1 - x); ++u) {
                sum += square(at + v * p.in_step[0] + u * p.in_step[1]);
            }
        }
    }
    store(p.out_base + y * p.out_step[0] + x * p.out_step[1] + c * p.out_step[2],
          load_a(at) * pow(p.bias + p.factor * sum, -p.beta));
}
