#version 450
#extension GL_GOOGLE_include_directive : require
// Softmax of floats along one axis: a work group a vector.
#include "common.glsl"
layout(push_constant) uniform Push {
    int extent[3];  // the other axes
    int out_step[3], in_step[3];
    int elements, out_along, in_along;
    int out_base, in_base, vectors;
} p;
shared float partial[64];

void main() {
    const uint vector = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint lane = gl_LocalInvocationID.x;
    int rest = int(min(vector, uint(p.vectors - 1)));  // no return: every invocation reaches the barriers
    int out_at = p.out_base;
    int in_at = p.in_base;
    for (int i = 2; i >= 0; --i) {
        const int next = rest / p.extent[i];
        const int index = rest - next * p.extent[i];
        rest = next;
        out_at += index * p.out_step[i];
        in_at += index * p.in_step[i];
    }
    float largest = load_a(in_at);
    for (int i = int(lane); i < p.elements; i += 64) {
        largest = max(largest, load_a(in_at + i * p.in_along));
    }
    partial[lane] = largest;
    barrier();
    for (uint half_way = 32u; half_way > 0u; half_way >>= 1) {
        if (lane < half_way) {
            partial[lane] = max(partial[lane], partial[lane + half_way]);
        }
        barrier();
    }
    largest = partial[0];
    barrier();
    float sum = 0.0;
    for (int i = int(lane); i < p.elements; i += 64) {
        sum += exp(load_a(in_at + i * p.in_along) - largest);
    }
    partial[lane] = sum;
    barrier();
    for (uint half_way = 32u; half_way > 0u; half_way >>= 1) {
        if (lane < half_way) {
            partial[lane] += partial[lane + half_way];
        }
        barrier();
    }
    const float factor = 1.0 / partial[0];
    // Input and output may be the same memory: an invocation writes only what it alone reads.
    for (int i = int(lane); i < p.elements; i += 64) {
        store(out_at + i * p.out_along, exp(load_a(in_at + i * p.in_along) - largest) * factor);
    }
}
