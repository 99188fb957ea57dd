// What every shader shares: buffers, element access, the arithmetic of docs/int8-contract.md.
// The storage type of activations and weights is a macro: INT8, HALF (float16, arithmetic in float32; with WIDE only
// the weights), else float32.
// With HALF ARITHMETIC16 convolutions multiply in float16 and add up short sums (TERMS) in it.
#ifdef INT8
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_shader_8bit_storage : require
layout(set = 0, binding = 0) readonly buffer A8 { int8_t a8[]; };
layout(set = 0, binding = 1) readonly buffer B8 { int8_t b8[]; };
layout(set = 0, binding = 2) writeonly buffer Out8 { int8_t out8[]; };
#endif
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define WEIGHT float16_t
#else
#define WEIGHT float
#endif
#if defined(HALF) && !defined(WIDE)
#define REAL float16_t
#else
#define REAL float
#endif
#ifdef ARITHMETIC16
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define TERM float16_t
#define TERMS f16vec4
#else
#define TERM float
#define TERMS QUAD
#endif
// Two inputs, the output, constants. The same memory may be bound twice (in place).
layout(set = 0, binding = 0) readonly buffer A32 { uint a32[]; };
layout(set = 0, binding = 0) readonly buffer AF { REAL af[]; };
layout(set = 0, binding = 1) readonly buffer BF { REAL bf[]; };
layout(set = 0, binding = 2) writeonly buffer Out32 { uint out32[]; };
layout(set = 0, binding = 2) writeonly buffer OutF { REAL outf[]; };
layout(set = 0, binding = 3) readonly buffer Constants { uint constants[]; };
layout(set = 0, binding = 3) readonly buffer Weights { WEIGHT float_weights[]; };

float load_a(int at) { return float(af[at]); }
float load_b(int at) { return float(bf[at]); }
void store(int at, float x) { outf[at] = REAL(x); }
float weight_f(int at) { return float(float_weights[at]); }

float constant_f(int at) { return uintBitsToFloat(constants[at]); }
int byte_of(uint word, int index) { return bitfieldExtract(int(word), index * 8, 8); }
int look_up(int table, int q) { return byte_of(constants[table + ((q + 128) >> 2)], q & 3); }

// The nearest float, ties to even, whatever the device's conversion does beyond 24 bits.
float to_float(int x) {
    const uint magnitude = x < 0 ? 0u - uint(x) : uint(x);
    const int shift = findMSB(magnitude) - 23;
    if (shift <= 0) {
        return float(x);
    }
    uint kept = magnitude >> shift;
    const uint rest = magnitude & ((1u << shift) - 1u);
    const uint half_way = 1u << (shift - 1);
    if (rest > half_way || (rest == half_way && (kept & 1u) != 0u)) {
        ++kept;
    }
    const float value = ldexp(float(kept), shift);
    return x < 0 ? -value : value;
}

// min(max(v, lo), hi); a nan gives lo.
float limited(float v, float lo, float hi) {
    const float lifted = v > lo ? v : lo;
    return lifted < hi ? lifted : hi;
}
// clamp(rne(v)) + zero_point; lo and hi are whole numbers without the zero point.
int to_level(float v, float lo, float hi, int zero_point) { return int(roundEven(limited(v, lo, hi))) + zero_point; }

// activation_type of convolutions (layer/support/fused_activation.h); a clamp is done by the caller.
float activate(int type, float x, float a, float b) {
    precise float y = x;
    if (type == 2) {
        y = x > 0.0 ? x : a * x;
    } else if (type == 4) {
        y = 1.0 / (1.0 + exp(-x));
    } else if (type == 5) {
        const float t = exp(min(x, 20.0));
        const float n = t * (t + 2.0);
        y = x > 20.0 ? x : x * (n / (n + 2.0));
    } else if (type == 6) {
        precise float gate = a * x;
        gate += b;
        y = x * min(max(gate, 0.0), 1.0);
    }
    return y;
}

#ifdef MATRIX
layout(local_size_x_id = 4) in;
#else
layout(local_size_x = 64) in;  // before gl_WorkGroupSize is read, which is 1 until then
#endif

// The index of an invocation of a dispatch that may have been spread over two dimensions.
uint linear_id() { return gl_GlobalInvocationID.y * (gl_NumWorkGroups.x * gl_WorkGroupSize.x) + gl_GlobalInvocationID.x; }

// Four channels of a pixel. `aligned`: int8 lies on whole words and all four exist.
#ifdef INT8
#define QUAD ivec4
QUAD load_quad(int at, int channels, bool aligned) {
    if (aligned) {
        const int word = int(a32[at >> 2]);
        return QUAD(bitfieldExtract(word, 0, 8), bitfieldExtract(word, 8, 8), bitfieldExtract(word, 16, 8), word >> 24);
    }
    QUAD quad = QUAD(0);
    for (int i = 0; i < min(channels, 4); ++i) {
        quad[i] = int(a8[at + i]);
    }
    return quad;
}
uint packed(QUAD q) {
    return (uint(q.x) & 255u) | (uint(q.y) & 255u) << 8 | (uint(q.z) & 255u) << 16 | uint(q.w) << 24;
}
void store_quad(int at, int channels, bool aligned, QUAD q) {
    if (aligned) {
        out32[at >> 2] = packed(q);
        return;
    }
    for (int i = 0; i < min(channels, 4); ++i) {
        out8[at + i] = int8_t(q[i]);
    }
}
#else
#define QUAD vec4
QUAD load_quad(int at, int channels, bool aligned) {
    if (aligned) {
        return QUAD(load_a(at), load_a(at + 1), load_a(at + 2), load_a(at + 3));
    }
    QUAD quad = QUAD(0.0);
    for (int i = 0; i < min(channels, 4); ++i) {
        quad[i] = load_a(at + i);
    }
    return quad;
}
#endif
void store_floats(int at, int channels, vec4 x) {
    for (int i = 0; i < min(channels, 4); ++i) {
        store(at + i, x[i]);
    }
}
