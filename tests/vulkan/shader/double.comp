#version 450
#extension GL_GOOGLE_include_directive : require
// Every function of double.glsl on pairs of doubles: what double_test.cpp compares.
#include "double.glsl"
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { uvec2 numbers[]; };
layout(set = 0, binding = 2) writeonly buffer Out { uvec2 results[]; };
layout(push_constant) uniform Push { uint pairs; } p;

void main() {
    const uint id = gl_GlobalInvocationID.x;
    if (id >= p.pairs) {
        return;
    }
    const uvec2 a = numbers[2 * id];
    const uvec2 b = numbers[2 * id + 1];
    const uint at = 8 * id;
    results[at] = double_result(DOUBLE_SUM, a, b);
    results[at + 1] = rounded(exact_sum(a, negated(b)));
    [[dont_unroll]] for (int operation = DOUBLE_PRODUCT; operation <= DOUBLE_ROOT; ++operation) {
        const bool none = (operation == DOUBLE_QUOTIENT && is_zero(b)) || (operation == DOUBLE_ROOT && negative(a));
        results[at + 1 + operation] = none ? DOUBLE_ZERO : double_result(operation, a, b);
    }
    results[at + 5] = double_of(false, a);  // of its bits as a whole number
    results[at + 6] = double_of(int(a.y));
    results[at + 7] = uvec2(floatBitsToUint(multiplier_of(a)), 0u);
}
