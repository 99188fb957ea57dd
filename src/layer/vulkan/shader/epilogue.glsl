// The end of a convolution: four sums become four outputs. Needs the push constants `p` of conv and depthwise.
layout(constant_id = 2) const int FLAGS = 0;
layout(constant_id = 3) const int ACTIVATION = 0;
const bool ALIGNED_IN = (FLAGS & 1) != 0;
const bool TRANSPOSED = (FLAGS & 2) != 0;
const bool TABLE = (FLAGS & 4) != 0;
const bool ALIGNED_OUT = (FLAGS & 8) != 0;
const bool BYTES_OUT = (FLAGS & 16) != 0;
const bool STEPS = (FLAGS & 32) != 0;  // the activation and what follows are steps (layer/vulkan/steps.h)
const bool CLAMPS = ACTIVATION == 0 || ACTIVATION == 1 || ACTIVATION == 3;  // none, ReLU, Clip

layout(push_constant) uniform Push {
    int in_base, in_row, in_col, in_h, in_w;
    int out_base, out_row, out_col, out_h, out_w;
    int channels, outputs;  // of a group
    int stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int weights, bias, multiplier, table;  // in the constants
    uint pad;
    int zero_point;
    float lo, hi;  // int8: without the zero point
    float a, b;    // of the activation
    float scale;   // int8 outputs of activations that are no clamp
    int n;         // outputs in a row of packed weights
} p;

// The input row (or column) of output `o` and tap `k`; outside of [0, extent) where there is none.
int source(int o, int k, int stride, int dilation, int pad) {
    if (TRANSPOSED) {
        const int at = o + pad - k * dilation;
        return at % stride == 0 ? at / stride : -1;
    }
    return o * stride - pad + k * dilation;
}

#ifdef INT8
// At p.table: the number of steps, where they begin, the level before the first and of each, four a word.
int level_by_steps(float x) {
    const int count = int(constants[p.table]);
    int below = 0;  // so many begin at x or less
    int above = count;
    while (below < above) {
        const int middle = (below + above) >> 1;
        if (x >= constant_f(p.table + 1 + middle)) {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    return byte_of(constants[p.table + 1 + count + (below >> 2)], below & 3);
}
#endif

void finish(int out_at, int channel, int count, QUAD sum) {
    vec4 x;
    for (int i = 0; i < 4; ++i) {
        if (i < count) {
#ifdef INT8
            x[i] = to_float(sum[i] + int(constants[p.bias + channel + i])) * constant_f(p.multiplier + channel + i);
#else
            x[i] = sum[i] + constant_f(p.bias + channel + i);
#endif
        }
    }
    if (!CLAMPS) {
        for (int i = 0; i < 4; ++i) {
            x[i] = activate(ACTIVATION, x[i], p.a, p.b);
        }
    }
#ifdef INT8
    if (BYTES_OUT) {
        QUAD q;
        for (int i = 0; i < 4; ++i) {
            q[i] = STEPS ? level_by_steps(x[i]) : to_level(CLAMPS ? x[i] : x[i] * p.scale, p.lo, p.hi, p.zero_point);
            if (TABLE) {
                q[i] = look_up(p.table, q[i]);
            }
        }
        store_quad(out_at, count, ALIGNED_OUT && count >= 4, q);
        return;
    }
#endif
    if (CLAMPS) {
        for (int i = 0; i < 4; ++i) {
            x[i] = min(max(x[i], p.lo), p.hi);
        }
    }
    store_floats(out_at, count, x);
}
