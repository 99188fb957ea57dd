#version 450
#extension GL_GOOGLE_include_directive : require
// Softmax of floats along one axis.
#include "common.glsl"
#include "vector.glsl"

void main() {
    if (vector() >= p.vectors) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec2 at = first_elements();
    float largest = load_a(at.y);
    for (int i = lane(); i < p.elements; i += STRIDE) {
        largest = max(largest, load_a(at.y + i * p.in_along));
    }
    largest = largest_of(largest);
    float sum = 0.0;
    for (int i = lane(); i < p.elements; i += STRIDE) {
        sum += exp(load_a(at.y + i * p.in_along) - largest);
    }
    const float factor = 1.0 / sum_of(sum);
    // Input and output may be the same memory: an invocation writes only what it alone reads.
    for (int i = lane(); i < p.elements; i += STRIDE) {
        store(at.x + i * p.out_along, exp(load_a(at.y + i * p.in_along) - largest) * factor);
    }
}
