#version 450
// A device's limits: chains of multiply-adds in registers, each step of a chain needing the last one, so that none can be
// left out or moved; or, with READ, a sum over memory.
#extension GL_EXT_control_flow_attributes : require
#ifdef MATRIX
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_shader_subgroup_basic : require
#pragma use_vulkan_memory_model
layout(constant_id = 4) const int SUBGROUPS = 2;
layout(constant_id = 7) const int M = 16;
layout(constant_id = 8) const int N = 16;
layout(constant_id = 9) const int K = 16;
#ifdef INT8
#define WORD uint
const int STRIDE = K / 4;
#else
#define WORD float16_t
const int STRIDE = K;
#endif
#include "matrix.glsl"
shared WORD factors[32 * 32];
shared SUM sums[SUBGROUPS * M * N];
#elif defined(FP16)
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define VALUE f16vec2
#define STEP(x) x = fma(x, a, b)
#elif defined(INT8)
#extension GL_EXT_spirv_intrinsics : require
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int packed_dot(uint a, uint b, spirv_literal int format);  // OpSDot, PackedVectorFormat4x8Bit
#define VALUE int
#define STEP(x) x += packed_dot(uint(x), uint(a), 0)
#else
#define VALUE float
#define STEP(x) x = fma(x, a, b)
#endif
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { vec4 values[]; };
layout(set = 0, binding = 2) writeonly buffer Out { float results[]; };
layout(push_constant) uniform Push { int rounds; int vectors; };
const int kChains = 16;

void main() {
    const int id = int(gl_GlobalInvocationID.x);
    float result = 0.0;
#ifdef READ
    // Neighbours read neighbours, each with its own sum.
    const int step = int(gl_NumWorkGroups.x * gl_WorkGroupSize.x);
    vec4 sum = vec4(0.0);
    for (int i = id; i < vectors; i += step) {
        sum += values[i];
    }
    result = sum.x + sum.y + sum.z + sum.w;
#elif defined(MATRIX)
    for (int i = int(gl_LocalInvocationIndex); i < 32 * 32; i += 64) {
#ifdef INT8
        factors[i] = floatBitsToUint(values[0].x) + uint(int8_t(i));  // the module needs the type
#else
        factors[i] = WORD(values[0].x);
#endif
    }
    barrier();
    const MATRIX_A a = LOAD_A(factors[0], STRIDE);
    const MATRIX_B b = LOAD_B(factors[0], STRIDE);
    MATRIX_SUM x[kChains];
    [[unroll]] for (int i = 0; i < kChains; ++i) {
        x[i] = filled(SUM(i));
    }
    for (int round = 0; round < rounds; ++round) {
        [[unroll]] for (int i = 0; i < kChains; ++i) {
            x[i] = MULTIPLY_ADD(a, b, x[i]);
        }
    }
    [[unroll]] for (int i = 0; i < kChains; ++i) {
        STORE_SUM(sums[int(gl_SubgroupID) * M * N], x[i], N);
        barrier();
        result += float(sums[gl_LocalInvocationIndex % (SUBGROUPS * M * N)]);
        barrier();
    }
#else
    const VALUE a = VALUE(values[0].x);
    const VALUE b = VALUE(values[0].y);
    VALUE x[kChains];
    [[unroll]] for (int i = 0; i < kChains; ++i) {
        x[i] = VALUE(id + i);
    }
    for (int round = 0; round < rounds; ++round) {
        [[unroll]] for (int i = 0; i < kChains; ++i) {
            STEP(x[i]);
        }
    }
    VALUE total = b;
    [[unroll]] for (int i = 0; i < kChains; ++i) {
        total += x[i];
    }
#ifdef FP16
    result = float(total.x + total.y);
#else
    result = float(total);
#endif
#endif
    results[id] = result;
}
