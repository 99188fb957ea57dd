#version 450
#extension GL_GOOGLE_include_directive : require
// One number of each part: a sum, product or extreme of a function of its elements. int8: sums of levels.
#include "common.glsl"
#include "parts.glsl"
layout(constant_id = 3) const int FOLD = 0;
layout(constant_id = 4) const int OF = 0;      // what is folded
layout(constant_id = 5) const int FINISH = 0;  // what is made of it
// ReduceOperation::Of and Finish.
const int VALUE = 0, MAGNITUDE = 1, SQUARE = 2, EXPONENTIAL = 3;
const int ROOT = 1, LOGARITHM = 2;
// Constants: the factor, then the output's of int8.
const int FACTOR = 0, ZERO_IN = 1, ZERO_OUT = 2, LOW = 3, HIGH = 4;

void main() {
    if (part() >= p.parts) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec3 at = part_start();
#ifdef INT8
    int sum = 0;
    for (int i = lane(); i < elements(); i += LANES) {
        sum += int(a8[at.x + element_at(i).x]) - int(constants[ZERO_IN]);
    }
    precise float x = to_float(int(reduced_whole(uint(sum), false))) * constant_f(FACTOR);
    if (lane() == 0) {
        out8[at.y] = int8_t(to_level(x, constant_f(LOW), constant_f(HIGH), int(constants[ZERO_OUT])));
    }
#else
    const float infinity = uintBitsToFloat(0x7f800000u);
    float largest = 0.0;
    if (OF == EXPONENTIAL) {
        largest = -infinity;
        for (int i = lane(); i < elements(); i += LANES) {
            largest = max(largest, load_a(at.x + element_at(i).x));
        }
        largest = reduced(largest, OF_MAXIMUM);
    }
    float value = FOLD == OF_SUM ? 0.0 : FOLD == OF_MAXIMUM ? -infinity : FOLD == OF_MINIMUM ? infinity : 1.0;
    for (int i = lane(); i < elements(); i += LANES) {
        const float x = load_a(at.x + element_at(i).x);
        value = folded(value, OF == VALUE ? x : OF == MAGNITUDE ? abs(x) : OF == SQUARE ? x * x : exp(x - largest), FOLD);
    }
    value = reduced(value, FOLD);
    value = FINISH == ROOT ? sqrt(value) : FINISH == LOGARITHM ? largest + log(value) : value;
    if (lane() == 0) {
        store(at.y, value * constant_f(FACTOR));
    }
#endif
}
