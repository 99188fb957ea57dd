// A work group a vector along one axis: where it lies, and sums and maxima over its invocations.
layout(push_constant) uniform Push {
    int extent[3];  // the other axes
    int out_step[3], in_step[3];
    int elements, out_along, in_along;
    int out_base, in_base, vectors;
} p;
shared float partial[64];

const int STRIDE = 64;  // between the elements of an invocation, the first of which has its lane's number
int lane() { return int(gl_LocalInvocationID.x); }

int vector() { return int(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x); }

// Of the vector: its first elements in output and input.
ivec2 first_elements() {
    int rest = vector();
    ivec2 at = ivec2(p.out_base, p.in_base);
    for (int i = 2; i >= 0; --i) {
        const int next = rest / p.extent[i];
        const int index = rest - next * p.extent[i];
        rest = next;
        at += index * ivec2(p.out_step[i], p.in_step[i]);
    }
    return at;
}

float reduced(float mine, bool maximum) {
    partial[lane()] = mine;
    barrier();
    for (int half_way = 32; half_way > 0; half_way >>= 1) {
        if (lane() < half_way) {
            const float other = partial[lane() + half_way];
            partial[lane()] = maximum ? max(partial[lane()], other) : partial[lane()] + other;
        }
        barrier();
    }
    const float all = partial[0];
    barrier();
    return all;
}
float sum_of(float mine) { return reduced(mine, false); }
float largest_of(float mine) { return reduced(mine, true); }
