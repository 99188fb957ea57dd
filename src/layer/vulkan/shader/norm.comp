#version 450
#extension GL_GOOGLE_include_directive : require
// LayerNorm and RMSNorm of floats. Constants: eps, then a factor and an offset for each element of a vector.
#include "common.glsl"
#include "vector.glsl"
layout(constant_id = 0) const bool CENTRED = true;

void main() {
    if (vector() >= p.vectors) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec2 at = first_elements();
    float mean = 0.0;
    if (CENTRED) {
        float sum = 0.0;
        for (int i = lane(); i < p.elements; i += STRIDE) {
            sum += load_a(at.y + i * p.in_along);
        }
        mean = sum_of(sum) / float(p.elements);
    }
    float squares = 0.0;
    for (int i = lane(); i < p.elements; i += STRIDE) {
        const float x = load_a(at.y + i * p.in_along) - mean;
        squares += x * x;
    }
    const float factor = inversesqrt(sum_of(squares) / float(p.elements) + constant_f(0));
    // Input and output may be the same memory: an invocation writes only what it alone reads.
    for (int i = lane(); i < p.elements; i += STRIDE) {
        store(at.x + i * p.out_along, (load_a(at.y + i * p.in_along) - mean) * factor * constant_f(1 + i) +
                                          constant_f(1 + p.elements + i));
    }
}
