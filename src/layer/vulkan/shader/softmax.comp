#version 450
#extension GL_GOOGLE_include_directive : require
// Softmax along an axis. Of int8 (docs/int8-contract.md): the constants are F and W for each distance from the largest
// level, then the numerator of the factor in double precision.
#include "common.glsl"
#include "parts.glsl"
#ifdef INT8
#include "double.glsl"
layout(constant_id = 3) const bool BYTES_OUT = false;
const int WEIGHTS = 256, NUMERATOR = 512, ZERO_POINT = 514, LOW = 515, HIGH = 516;
#endif

void main() {
    if (part() >= p.parts) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec3 at = part_start();
    // Input and output may be the same memory: an invocation writes only what it alone reads.
#ifdef INT8
    int top = -128;
    for (int i = lane(); i < elements(); i += LANES) {
        top = max(top, int(a8[at.x + element_at(i).x]));
    }
    top = int(reduced_whole(uint(top + 128), true)) - 128;
    uvec2 sum = uvec2(0);
    for (int i = lane(); i < elements(); i += LANES) {
        uint carry;
        sum.x = uaddCarry(sum.x, constants[WEIGHTS + top - int(a8[at.x + element_at(i).x])], carry);
        sum.y += carry;
    }
    const uvec2 total = double_of(false, sum_long(sum));
    const float factor = multiplier_of(rounded(exact_quotient(uvec2(constants[NUMERATOR], constants[NUMERATOR + 1]), total)));
    for (int i = lane(); i < elements(); i += LANES) {
        const ivec3 e = at + element_at(i);
        precise float x = constant_f(top - int(a8[e.x])) * factor;
        if (BYTES_OUT) {
            out8[e.y] = int8_t(to_level(x, constant_f(LOW), constant_f(HIGH), int(constants[ZERO_POINT])));
        } else {
            store(e.y, x);
        }
    }
#else
    float largest = load_a(at.x);
    for (int i = lane(); i < elements(); i += LANES) {
        largest = max(largest, load_a(at.x + element_at(i).x));
    }
    largest = reduced(largest, OF_MAXIMUM);
    float sum = 0.0;
    for (int i = lane(); i < elements(); i += LANES) {
        sum += exp(load_a(at.x + element_at(i).x) - largest);
    }
    const float factor = 1.0 / reduced(sum, OF_SUM);
    for (int i = lane(); i < elements(); i += LANES) {
        const ivec3 e = at + element_at(i);
        store(e.y, exp(load_a(e.x) - largest) * factor);
    }
#endif
}
