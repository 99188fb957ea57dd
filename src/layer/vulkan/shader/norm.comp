#version 450
#extension GL_GOOGLE_include_directive : require
// Normalisations: y = (x - mean) / deviation * gamma + beta over the elements of a part; int8 by docs/int8-contract.md.
#include "common.glsl"
#include "parts.glsl"
#ifdef INT8
#include "double.glsl"
#endif
layout(constant_id = 3) const bool CENTRED = true;
layout(constant_id = 4) const int DEVIATION = 0;
layout(constant_id = 5) const bool HAS_GAMMA = false;
layout(constant_id = 6) const bool HAS_BETA = false;
// NormOperation::Deviation.
const int ROOT_OF_SUM = 0, SUM_OF_ROOT = 1, ONE = 2, NORM = 3, NORM_OR_EPS = 4, NORM_OF_LARGER = 5;
// Constants: doubles, then what else int8 needs, gamma, beta.
const int EPS = 0, SCALE_IN = 2, SCALE_OUT = 4, RATIO = 6;  // RATIO: of the scales, output by input
const int ZERO_IN = 8, ZERO_OUT = 9, LOW = 10, HIGH = 11, EPS_FLOAT = 12, GAMMA = 13;

// Of the parameters at hand: out = in * factor + offset.
shared float factors[LANES];
shared float offsets[LANES];

#ifdef INT8
uvec2 constant_double(int at) { return uvec2(constants[at], constants[at + 1]); }
int level(int at) { return int(a8[at]) - int(constants[ZERO_IN]); }
#endif

void main() {
    if (part() >= p.parts) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec3 at = part_start();
#ifdef INT8
    int mine = 0;
    uvec2 squares = uvec2(0);
    for (int i = lane(); i < elements(); i += LANES) {
        const int d = level(at.x + element_at(i).x);
        mine += d;
        squares = add_long(squares, uvec2(uint(d * d), 0u));
    }
    const int sum = int(reduced_whole(uint(mine), false));
    squares = sum_long(squares);
    // One operation of the contract's formulas after another: x is the last result.
    const uvec2 scale = constant_double(SCALE_IN);
    const uvec2 eps = constant_double(EPS);
    const uvec2 count = double_of(elements());
    uvec2 mean = DOUBLE_ZERO;
    uvec2 square = DOUBLE_ZERO;
    uvec2 x = DOUBLE_ZERO;
    [[dont_unroll]] for (int i = 0; i < 9; ++i) {
        const bool root_first = DEVIATION == SUM_OF_ROOT;
        int operation = DOUBLE_QUOTIENT;
        uvec2 a = x;
        uvec2 b = scale;
        switch (i) {
            case 0: a = double_of(sum); b = count; break;
            case 1: operation = DOUBLE_PRODUCT; a = mean; b = mean; break;
            case 2: a = double_of(false, squares); b = count; break;
            case 3: operation = DOUBLE_SUM; b = negated(square); break;
            case 4: a = negative(x) ? DOUBLE_ZERO : x; break;
            case 5: break;
            case 6: operation = root_first ? DOUBLE_ROOT : DOUBLE_SUM; b = eps; break;
            case 7:
                operation = root_first ? DOUBLE_SUM : DOUBLE_ROOT;
                a = !root_first && negative(x) ? DOUBLE_ZERO : x;
                b = eps;
                break;
            default:
                a = constant_double(RATIO);
                b = DEVIATION == ONE ? double_of(1) : x;
                if (negative(b) || is_zero(b)) {
                    a = DOUBLE_ZERO;
                    b = double_of(1);
                }
        }
        x = double_result(operation, a, b);
        mean = i == 0 && CENTRED ? x : mean;
        square = i == 1 ? x : square;
    }
    const uvec2 factor = x;
    const uvec2 scale_out = constant_double(SCALE_OUT);
#else
    float mean = 0.0;
    if (CENTRED) {
        float sum = 0.0;
        for (int i = lane(); i < elements(); i += LANES) {
            sum += load_a(at.x + element_at(i).x);
        }
        mean = reduced(sum, OF_SUM) / float(elements());
    }
    float factor = 1.0;
    if (DEVIATION != ONE) {
        float squares = 0.0;
        for (int i = lane(); i < elements(); i += LANES) {
            const float x = load_a(at.x + element_at(i).x) - mean;
            squares += x * x;
        }
        const float sum = reduced(squares, OF_SUM);
        const float variance = sum / float(elements());
        const float eps = constant_f(EPS_FLOAT);
        switch (DEVIATION) {
            case ROOT_OF_SUM: factor = 1.0 / sqrt(variance + eps); break;
            case SUM_OF_ROOT: factor = 1.0 / (sqrt(variance) + eps); break;
            case NORM: factor = 1.0 / sqrt(sum + eps); break;
            case NORM_OR_EPS: factor = 1.0 / max(sqrt(sum), eps); break;
            default: factor = 1.0 / sqrt(max(sum, eps));
        }
    }
#endif
    // Input and output may be the same memory: an invocation writes only what it alone reads.
    for (int first = 0; first < p.parameters; first += LANES) {
        const int parameters = min(LANES, p.parameters - first);
        if (lane() < parameters) {
            const int parameter = GAMMA + at.z + parameter_at(first + lane()).z;
#ifdef INT8
            const uvec2 gamma = HAS_GAMMA ? double_of(constant_f(parameter)) : double_of(1);
            const uvec2 beta = HAS_BETA ? double_of(constant_f(parameter + p.given)) : DOUBLE_ZERO;
            uvec2 scaled = DOUBLE_ZERO;
            uvec2 shift = DOUBLE_ZERO;
            uvec2 last = DOUBLE_ZERO;
            [[dont_unroll]] for (int i = 0; i < 3; ++i) {  // gamma * factor, beta * scale_out, scaled * mean
                last = rounded(exact_product(i == 0 ? gamma : i == 1 ? beta : scaled,
                                             i == 0 ? factor : i == 1 ? scale_out : mean));
                scaled = i == 0 ? last : scaled;
                shift = i == 1 ? last : shift;
            }
            last = rounded(exact_sum(shift, negated(last)));
            factors[lane()] = multiplier_of(scaled);
            offsets[lane()] = multiplier_of(last);
#else
            factors[lane()] = HAS_GAMMA ? factor * constant_f(parameter) : factor;
            offsets[lane()] = HAS_BETA ? constant_f(parameter + p.given) : 0.0;
#endif
        }
        barrier();
        for (int i = lane(); i < parameters * p.repeats; i += LANES) {
            const int repeat = i / parameters;
            const int parameter = i - repeat * parameters;
            const ivec3 e = at + parameter_at(first + parameter) + repeat_at(repeat);
#ifdef INT8
            precise float x = float(level(e.x)) * factors[parameter];
            x += offsets[parameter];
            out8[e.y] = int8_t(to_level(x, constant_f(LOW), constant_f(HIGH), int(constants[ZERO_OUT])));
#else
            store(e.y, (load_a(e.x) - mean) * factors[parameter] + offsets[parameter]);
#endif
        }
        barrier();
    }
}
