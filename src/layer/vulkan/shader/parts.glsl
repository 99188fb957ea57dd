// A work group a part of a blob: the loops of parts, then, within a part, those of parameters, then those of elements
// that share a parameter. Sums and the like are made over the invocations of the group.
layout(constant_id = 0) const int PARTS = 0;  // so many loops of each
layout(constant_id = 1) const int PARAMETERS = 0;
layout(constant_id = 2) const int REPEATS = 0;
const int LOOPS = 6;
layout(push_constant) uniform Push {
    int extent[LOOPS];
    int in_step[LOOPS], out_step[LOOPS], parameter_step[LOOPS];
    int in_base, out_base;
    int parts, parameters, repeats;  // rounds of the loops of each
    int given;                       // as the shader likes
} p;

const int LANES = 64;
int lane() { return int(gl_LocalInvocationID.x); }
int part() { return int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x); }

// What a round of the loops from `first` on adds to the places in input, output and parameters.
ivec3 steps(int round, int first, int loops) {
    ivec3 at = ivec3(0);
    for (int i = first + loops - 1; i >= first; --i) {
        const int next = i == first ? 0 : round / p.extent[i];
        at += (round - next * p.extent[i]) * ivec3(p.in_step[i], p.out_step[i], p.parameter_step[i]);
        round = next;
    }
    return at;
}
ivec3 part_start() { return ivec3(p.in_base, p.out_base, 0) + steps(part(), 0, PARTS); }
ivec3 parameter_at(int index) { return steps(index, PARTS, PARAMETERS); }
ivec3 repeat_at(int index) { return steps(index, PARTS + PARAMETERS, REPEATS); }

int elements() { return p.parameters * p.repeats; }
// An element of a part, parameters turning fastest.
ivec3 element_at(int index) {
    if (REPEATS == 0) {
        return parameter_at(index);
    }
    if (PARAMETERS == 0) {
        return repeat_at(index);
    }
    const int repeat = index / p.parameters;
    return parameter_at(index - repeat * p.parameters) + repeat_at(repeat);
}

shared uint partial[LANES];
const int OF_SUM = 0, OF_MAXIMUM = 1, OF_MINIMUM = 2, OF_PRODUCT = 3;
float folded(float x, float y, int fold) {
    return fold == OF_SUM ? x + y : fold == OF_MAXIMUM ? max(x, y) : fold == OF_MINIMUM ? min(x, y) : x * y;
}
// Of all invocations.
float reduced(float mine, int fold) {
    partial[lane()] = floatBitsToUint(mine);
    barrier();
    for (int half_way = LANES / 2; half_way > 0; half_way >>= 1) {
        if (lane() < half_way) {
            partial[lane()] = floatBitsToUint(
                folded(uintBitsToFloat(partial[lane()]), uintBitsToFloat(partial[lane() + half_way]), fold));
        }
        barrier();
    }
    const float all = uintBitsToFloat(partial[0]);
    barrier();
    return all;
}
// Whole numbers; sums wrap.
uint reduced_whole(uint mine, bool maximum) {
    partial[lane()] = mine;
    barrier();
    for (int half_way = LANES / 2; half_way > 0; half_way >>= 1) {
        if (lane() < half_way) {
            const uint other = partial[lane() + half_way];
            partial[lane()] = maximum ? max(partial[lane()], other) : partial[lane()] + other;
        }
        barrier();
    }
    const uint all = partial[0];
    barrier();
    return all;
}
// Sum of 64-bit numbers: x is the lower half.
uvec2 sum_long(uvec2 mine) {
    // The lower halves by 16 bits, so that their carries are seen.
    const uint low = reduced_whole(mine.x & 0xffffu, false);
    const uint middle = reduced_whole(mine.x >> 16, false) + (low >> 16);
    const uint high = reduced_whole(mine.y, false) + (middle >> 16);
    return uvec2((middle << 16) | (low & 0xffffu), high);
}
