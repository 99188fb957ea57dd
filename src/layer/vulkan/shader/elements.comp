#version 450
#extension GL_GOOGLE_include_directive : require
// Element by element through up to six loops: copies, functions of one number, operations on two. An invocation makes
// one element.
#include "common.glsl"
#ifdef INT8
#include "double.glsl"
#else
#include "elementary.glsl"
#endif
layout(constant_id = 0) const int KIND = 0;
layout(constant_id = 1) const int FUNCTION = 0;  // of CALL and ELEMENTARY
const int LOOPS = 6;
layout(push_constant) uniform Push {
    int extent[LOOPS];
    int out_step[LOOPS], a_step[LOOPS], b_step[LOOPS];
    int out_base, a_base, b_base;
    int count;
    int parameters;  // in the constants
} p;

// As layer/vulkan/elements.cpp numbers them.
const int COPY = 0, TABLE = 1, CLAMP_BYTES = 2, QUANTIZE = 3, DEQUANTIZE = 4, CALL = 5, CLAMP = 6, AFFINE = 7, SUM = 8,
          PRODUCT = 9, QUOTIENT = 10, MAXIMUM = 11, MINIMUM = 12, COPY_FLOATS = 13, SLOPE = 14, CONSTANT = 15,
          ELEMENTARY = 16, POWER = 17, ATAN2 = 18, ROW = 19;

int whole(int i) { return int(constants[p.parameters + i]); }
float real(int i) { return constant_f(p.parameters + i); }

#ifndef INT8
// FloatFunction of kernel/kernel.h.
float call(float x) {
    const float a = real(0);
    const float b = real(1);
    switch (FUNCTION) {
        case 0: return exp(x - a);
        case 1: return sigmoid(x);
        case 2: return tanh_of(x);
        case 3: return x * sigmoid(x);
        case 4: return activate(5, x, 0.0, 0.0);
        case 5: return 0.5 * x * (1.0 + erf(x * 0.70710678));
        case 6: return 0.5 * x * (1.0 + tanh_of(0.79788456 * (x + 0.044715 * x * x * x)));
        case 7: return clamp(a * x + b, 0.0, 1.0);
        default: return x * clamp(a * x + b, 0.0, 1.0);
    }
}

float combined(float x, float y) {
    switch (KIND) {
        case SUM: return x * real(0) + y * real(1);
        case PRODUCT: return x * y;
        case QUOTIENT: return x / y;
        case MAXIMUM: return x < y ? y : x;
        case MINIMUM: return y < x ? y : x;
        case POWER: return power_of(x, y);
        default: return atan2_of(x, y);
    }
}
#else
// Parameters: result's zero point, lo, hi (without it), factor; the inputs' zero points; factors or multipliers; shift.
int combined_levels(int x, int y) {
    const int a = x - whole(4);
    const int b = y - whole(5);
    if (KIND == SUM) {
        const int total = a * whole(6) + b * whole(7) + (1 << (whole(8) - 1));
        return clamp((total >> whole(8)) + whole(0), int(real(1)) + whole(0), int(real(2)) + whole(0));
    }
    float value;
    if (KIND == QUOTIENT) {
        if (b == 0) {  // infinite, or no number
            return int(a > 0 && real(3) > 0.0 ? real(2) : real(1)) + whole(0);
        }
        value = multiplier_of(rounded(exact_quotient(double_of(a), double_of(b))));
    } else if (KIND == PRODUCT) {
        value = float(a * b);
    } else {
        precise float fa = float(a) * real(6);
        precise float fb = float(b) * real(7);
        value = KIND == MAXIMUM ? (fb > fa ? fb : fa) : (fb < fa ? fb : fa);
    }
    precise float scaled = value * real(3);
    return to_level(scaled, real(1), real(2), whole(0));
}
#endif

void main() {
    const uint id = linear_id();
    if (id >= uint(p.count)) {
        return;
    }
    int rest = int(id);
    int out_at = p.out_base;
    int a_at = p.a_base;
    int b_at = p.b_base;
    for (int i = LOOPS - 1; i >= 0; --i) {
        const int next = rest / p.extent[i];
        const int index = rest - next * p.extent[i];
        rest = next;
        out_at += index * p.out_step[i];
        a_at += index * p.a_step[i];
        b_at += index * p.b_step[i];
    }
#ifdef INT8
    switch (KIND) {
        case COPY: out8[out_at] = a8[a_at]; break;
        case TABLE: out8[out_at] = int8_t(look_up(p.parameters + 64 * b_at, int(a8[a_at]))); break;
        case CLAMP_BYTES: out8[out_at] = int8_t(clamp(int(a8[a_at]), whole(0), whole(1))); break;
        case QUANTIZE: {
            precise float scaled = load_a(a_at) * real(3);
            out8[out_at] = int8_t(to_level(scaled, real(1), real(2), whole(0)));
            break;
        }
        case DEQUANTIZE: store(out_at, float(int(a8[a_at]) - whole(0)) * real(1)); break;
        case AFFINE: {
            const int channels = whole(4);
            precise float value = float(int(a8[a_at]) - whole(3)) * real(5 + b_at);
            value += real(5 + channels + b_at);
            out8[out_at] = int8_t(to_level(value, real(1), real(2), whole(0)));
            break;
        }
        case CONSTANT: out8[out_at] = int8_t(byte_of(constants[p.parameters + (b_at >> 2)], b_at & 3)); break;
        default: out8[out_at] = int8_t(combined_levels(int(a8[a_at]), int(b8[b_at])));
    }
#else
    switch (KIND) {
        case COPY_FLOATS: outf[out_at] = af[a_at]; break;
        case CONSTANT: store(out_at, real(b_at)); break;
        case ROW: {
            const uint index = floatBitsToUint(load_a(a_at));  // below 0 and nan: the first row
            const float at = uintBitsToFloat(index);
            const int row = index > 0x7f800000u ? 0 : at >= float(whole(0)) ? whole(0) : int(at);
            const float value = real(3 + row * whole(1) + b_at);
            store(out_at, whole(2) == 0 ? value : value + real(whole(2) + b_at));
            break;
        }
        case CALL: store(out_at, call(load_a(a_at))); break;
        case ELEMENTARY: {
            precise float v = load_a(a_at) * real(0);
            v = real(1) == 0.0 ? v : v + real(1);  // -0 stays
            store(out_at, elementary(FUNCTION, v, real(3), real(4)) * real(2));
            break;
        }
        case SLOPE: store(out_at, load_a(a_at) < 0.0 ? load_a(a_at) * real(b_at) : load_a(a_at)); break;
        case CLAMP: store(out_at, min(max(load_a(a_at), real(0)), real(1))); break;
        case AFFINE: store(out_at, load_a(a_at) * real(5 + b_at) + real(5 + whole(4) + b_at)); break;
        default: store(out_at, combined(load_a(a_at), load_b(b_at)));
    }
#endif
}
