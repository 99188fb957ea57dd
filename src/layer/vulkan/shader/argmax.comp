#version 450
#extension GL_GOOGLE_include_directive : require
// The indices of the largest elements of each part, largest first. Operand 2 of the loops is the index.
#include "common.glsl"
#include "parts.glsl"
layout(constant_id = 3) const int COUNT = 1;        // how many
layout(constant_id = 4) const bool LAST = false;    // of equal elements the last comes first
layout(constant_id = 5) const bool VALUES = false;  // they come before the indices
layout(constant_id = 6) const int STEP = 1;         // from a number of the output to the next
layout(constant_id = 7) const int INDICES = 0;      // from a value to its index

shared int partial_index[LANES];

// Numbers in their order as whole numbers, a nan before all of them.
uint order_of(float x) {
    const uint bits = floatBitsToUint(x);
    const uint magnitude = bits & 0x7fffffffu;
    return magnitude > 0x7f800000u ? 0u : magnitude == 0u || magnitude == bits ? 0x80000000u + magnitude : ~bits;
}

// Of the keys a and b, index -1 being none.
bool before(uint a, int a_index, uint b, int b_index) {
    if (a_index < 0 || b_index < 0) {
        return b_index < 0 && a_index >= 0;
    }
    if (a != b) {
        return a > b;
    }
    return LAST || a == 0u ? a_index > b_index : a_index < b_index;
}

void main() {
    if (part() >= p.parts) {
        return;  // the whole group: none of it waits at a barrier
    }
    const ivec3 at = part_start();
    uint taken = 0u;
    int taken_index = -1;
    for (int place = 0; place < COUNT; ++place) {
        uint best = 0u;
        int best_index = -1;
        int best_at = 0;
        for (int i = lane(); i < elements(); i += LANES) {
            const ivec3 e = element_at(i);
            const uint key = order_of(load_a(at.x + e.x));
            if ((place == 0 || before(taken, taken_index, key, e.z)) && before(key, e.z, best, best_index)) {
                best = key;
                best_index = e.z;
                best_at = at.x + e.x;
            }
        }
        partial[lane()] = best;
        partial_index[lane()] = best_index;
        barrier();
        for (int half_way = LANES / 2; half_way > 0; half_way >>= 1) {
            const int other = lane() + half_way;
            if (lane() < half_way && before(partial[other], partial_index[other], partial[lane()], partial_index[lane()])) {
                partial[lane()] = partial[other];
                partial_index[lane()] = partial_index[other];
            }
            barrier();
        }
        taken = partial[0];
        taken_index = partial_index[0];
        barrier();
        // The invocation that found it knows where it is.
        if (best_index == taken_index) {
            const int to = at.y + place * STEP;
            if (VALUES) {
                store(to, load_a(best_at));
            }
            store(to + INDICES, to_float(taken_index));
        }
    }
}
