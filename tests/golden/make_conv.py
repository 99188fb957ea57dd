"""Convolution, ConvolutionDepthWise, Deconvolution, DeconvolutionDepthWise."""
import numpy as np

from golden_common import Golden, activation, f32, f64, flagged, flagged_codebook, flagged_fp16, flagged_int8, raw


def pair(v):
    return v if isinstance(v, tuple) else (v, v)


def same_pads(size, extent, stride, lower):
    total = max(extent + (size - 1) // stride * stride - size, 0)
    small, big = total // 2, total - total // 2
    return (big, small) if lower else (small, big)


def conv(x, w, bias, kernel, stride=1, dilation=1, pads=(0, 0, 0, 0), group=1, pad_value=0.0):
    """x [C,H,W]; w [outch, inch/group, kh, kw]; kernel, stride, dilation: (w, h); pads: left, right, top, bottom,
    or the string 'upper' or 'lower'."""
    x, w = f64(x), f64(w)
    (kw, kh), (sw, sh), (dw, dh) = pair(kernel), pair(stride), pair(dilation)
    ew, eh = dw * (kw - 1) + 1, dh * (kh - 1) + 1
    if isinstance(pads, str):
        l, r = same_pads(x.shape[2], ew, sw, pads == "lower")
        t, b = same_pads(x.shape[1], eh, sh, pads == "lower")
    else:
        l, r, t, b = pads
    x = np.pad(x, ((0, 0), (t, b), (l, r)), constant_values=pad_value)
    outw, outh = (x.shape[2] - ew) // sw + 1, (x.shape[1] - eh) // sh + 1
    outch, cg = w.shape[0], w.shape[1]
    og = outch // group
    y = np.zeros((outch, outh, outw))
    for o in range(outch):
        g = o // og
        for c in range(cg):
            for i in range(kh):
                for j in range(kw):
                    y[o] += w[o, c, i, j] * x[g * cg + c, i * dh:i * dh + (outh - 1) * sh + 1:sh, j * dw:j * dw + (outw - 1) * sw + 1:sw]
        if bias is not None:
            y[o] += float(bias[o])
    return y


def deconv(x, w, bias, kernel, stride=1, dilation=1, pads=(0, 0, 0, 0), out_pad=(0, 0), group=1, output=None):
    """w [outch, inch/group, kh, kw]; out_pad: right, bottom; output: (w, h) with pads 'upper' or 'lower'."""
    x, w = f64(x), f64(w)
    (kw, kh), (sw, sh), (dw, dh) = pair(kernel), pair(stride), pair(dilation)
    cin, hin, win = x.shape
    fw = (win - 1) * sw + dw * (kw - 1) + 1 + out_pad[0]
    fh = (hin - 1) * sh + dh * (kh - 1) + 1 + out_pad[1]
    outch, cg = w.shape[0], w.shape[1]
    og = outch // group
    y = np.zeros((outch, fh, fw))
    for o in range(outch):
        g = o // og
        for c in range(cg):
            for i in range(kh):
                for j in range(kw):
                    y[o, i * dh:i * dh + (hin - 1) * sh + 1:sh, j * dw:j * dw + (win - 1) * sw + 1:sw] += w[o, c, i, j] * x[g * cg + c]
        if bias is not None:
            y[o] += float(bias[o])
    if isinstance(pads, str):
        cw, ch = fw - output[0], fh - output[1]
        l, r = (cw // 2, cw - cw // 2) if pads == "upper" else (cw - cw // 2, cw // 2)
        t, b = (ch // 2, ch - ch // 2) if pads == "upper" else (ch - ch // 2, ch // 2)
    else:
        l, r, t, b = pads
    return y[:, t:fh - b, l:fw - r]


def keys(num_output, kernel, stride, dilation, pads, bias, size, group=None):
    p = {0: num_output, 1: pair(kernel)[0]}
    if isinstance(kernel, tuple):
        p[11] = kernel[1]
    if pair(dilation) != (1, 1):
        p[2] = pair(dilation)[0]
        if isinstance(dilation, tuple):
            p[12] = dilation[1]
    if pair(stride) != (1, 1):
        p[3] = pair(stride)[0]
        if isinstance(stride, tuple):
            p[13] = stride[1]
    if isinstance(pads, str):
        p[4] = -233 if pads == "upper" else -234
    elif isinstance(pads, int):
        p[4] = pads
    elif tuple(pads) != (0, 0, 0, 0):
        p[4], p[15], p[14], p[16] = pads
    if bias:
        p[5] = 1
    p[6] = size
    if group is not None:
        p[7] = group
    return p


def full_pads(pads):
    return pads if isinstance(pads, str) or isinstance(pads, tuple) else (pads,) * 4


def conv_case(g, name, inch, size, outch, kernel, stride=1, dilation=1, pads=0, group=None, bias=True, act=0, actp=None,
              pad_value=None, store="f32", extra=None, note=None):
    h, w = size
    kw, kh = pair(kernel)
    gr = group or 1
    x = g.rng.data(inch, h, w)
    wt = g.rng.data(outch, inch // gr, kh, kw, lo=-1, hi=1)
    bs = g.rng.data(outch) if bias else None
    if store == "fp16":
        blob = flagged_fp16(wt)
        wt = wt.astype(np.float16).astype(np.float32)
    elif store == "codebook":
        table = g.rng.data(256, lo=-1, hi=1)
        index = g.rng.ints(0, 256, wt.size)
        wt = table[index].reshape(wt.shape)
        blob = flagged_codebook(table, index)
    else:
        blob = flagged(wt)
    p = keys(outch, kernel, stride, dilation, pads, bias, wt.size, group)
    if pad_value is not None:
        p[18] = pad_value
    if act:
        p[9] = act
        if actp:
            p[10] = list(actp)
    p.update(extra or {})
    y = activation(conv(x, wt, bs, kernel, stride, dilation, full_pads(pads), gr, pad_value or 0.0), act, actp or ())
    g.one(name, p, x, y, blob + (raw(bs) if bias else b""), note)


def convolution():
    g = Golden("Convolution", 2e-5, 2e-5)
    g.one("hand_2x2_sum", {0: 1, 1: 2, 5: 1, 6: 4}, f32([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]), f32([[[12.5, 16.5], [24.5, 28.5]]]),
          flagged([1, 1, 1, 1]) + raw([0.5]), "typed in: each output is the sum of a 2x2 window + 0.5")
    g.one("hand_not_flipped", {0: 1, 1: 2, 11: 1, 6: 2}, f32([[[1, 2, 4, 8]]]), f32([[[21, 42, 84]]]),
          flagged([1, 10]), "typed in: cross-correlation, the kernel is not flipped: 1*1 + 10*2")
    g.one("hand_two_inputs", {0: 2, 1: 1, 5: 1, 6: 4}, f32([[[1, 2]], [[3, 4]]]), f32([[[1 + 6 + 1, 2 + 8 + 1]], [[3 + 12 - 1, 6 + 16 - 1]]]),
          flagged([1, 2, 3, 4]) + raw([1, -1]), "typed in: weights ordered [outch][inch]")
    conv_case(g, "k1", 5, (4, 6), 7, 1)
    conv_case(g, "k1_s2", 8, (5, 7), 4, 1, 2)
    conv_case(g, "k3", 4, (6, 7), 8, 3)
    conv_case(g, "k3_pad1", 8, (7, 9), 8, 3, pads=1)
    conv_case(g, "k3_pad1_nobias", 3, (8, 8), 16, 3, pads=1, bias=False)
    conv_case(g, "k3s2_pad_asym_relu", 3, (9, 8), 8, 3, 2, pads=(0, 1, 2, 0), act=1)
    conv_case(g, "pad_left_only", 2, (4, 5), 3, 3, pads=(2, 0, 1, 1))
    conv_case(g, "k3_d2", 4, (9, 9), 5, 3, dilation=2, pads=2)
    conv_case(g, "d_wh_differ", 3, (10, 9), 4, 3, dilation=(2, 3), pads=(1, 2, 3, 0))
    conv_case(g, "s_wh_differ", 3, (10, 9), 4, 3, stride=(2, 3))
    conv_case(g, "k_wh_differ", 4, (6, 8), 4, (5, 2), pads=(2, 2, 0, 1))
    conv_case(g, "k7s2_pad3", 3, (14, 13), 4, 7, 2, pads=3)
    conv_case(g, "k5", 2, (7, 6), 6, 5, pads=2, act=1)
    conv_case(g, "k_is_input", 6, (3, 4), 10, (4, 3))
    conv_case(g, "pad_value", 3, (4, 4), 4, 3, pads=1, pad_value=1.5)
    conv_case(g, "pad_value_stride", 2, (5, 6), 4, (3, 2), (2, 1), pads=(1, 2, 0, 1), pad_value=-0.75)
    for mode in ("upper", "lower"):
        conv_case(g, "same_%s_s1" % mode, 3, (5, 6), 4, 3, pads=mode)
        conv_case(g, "same_%s_s2_even_kernel" % mode, 3, (7, 6), 4, (4, 2), 2, pads=mode)
        conv_case(g, "same_%s_s2" % mode, 4, (7, 8), 4, 3, 2, pads=mode)
        conv_case(g, "same_%s_dilated" % mode, 2, (8, 7), 4, (2, 3), 1, (3, 2), pads=mode)
    conv_case(g, "same_upper_one_axis", 2, (5, 5), 4, (1, 3), (2, 3), pads="upper", note="needs padding on one axis only")
    conv_case(g, "act_leaky", 4, (5, 5), 4, 3, act=2, actp=(0.125,))
    conv_case(g, "act_leaky_default_pack", 8, (4, 4), 8, 1, act=2, actp=(0.1,))
    conv_case(g, "act_clip", 4, (5, 5), 4, 3, act=3, actp=(-1.0, 2.5))
    conv_case(g, "act_relu6", 4, (5, 5), 8, 3, act=3, actp=(0.0, 6.0))
    conv_case(g, "act_sigmoid", 4, (5, 5), 4, 3, act=4)
    conv_case(g, "act_mish", 4, (5, 5), 4, 3, act=5)
    conv_case(g, "act_hardswish", 4, (5, 5), 4, 3, act=6, actp=(1 / 6.0, 0.5))
    conv_case(g, "act_hardswish_other", 4, (5, 5), 8, 1, act=6, actp=(0.25, 0.5))
    conv_case(g, "weights_fp16", 4, (5, 6), 6, 3, pads=1, store="fp16")
    conv_case(g, "weights_fp16_odd_count", 3, (4, 4), 3, (3, 1), store="fp16", note="27 fp16 weights: 2 bytes of padding before the bias")
    conv_case(g, "weights_codebook", 4, (5, 6), 6, 3, pads=1, store="codebook")
    conv_case(g, "weights_codebook_odd_count", 3, (4, 4), 3, (3, 1), store="codebook", note="27 indexes: 1 byte of padding before the bias")
    conv_case(g, "wide_pad_1x1_image", 3, (1, 1), 4, 3, pads=1)
    # a 1-d input counts as [n, 1, 1] when the kernel is 1x1
    x, wt, bs = g.rng.data(6), g.rng.data(5, 6, 1, 1), g.rng.data(5)
    y = conv(x.reshape(6, 1, 1), wt, bs, 1)
    g.one("input_1d", {0: 5, 1: 1, 5: 1, 6: 30}, x, y.reshape(5), flagged(wt) + raw(bs), "1-d input with a 1x1 kernel: works as InnerProduct, output is 1-d")
    # an int8 model: int8 weights, their scales an output channel, the input's scale; float in, float out
    x, bs = g.rng.data(3, 5, 6), g.rng.data(4)
    q, ws, xs = g.rng.ints(-127, 128, 4, 3, 3, 3), g.rng.data(4, lo=60, hi=200), f64(f32(64 / 3.0))  # x*64/3 is never near a tie
    xq = np.clip(np.rint(f64(x) * xs), -127, 127)
    y = conv(xq, q, None, 3, pads=(1, 1, 1, 1)) / (f64(ws).reshape(4, 1, 1) * xs) + f64(bs).reshape(4, 1, 1)
    g.one("int8_model", {0: 4, 1: 3, 4: 1, 5: 1, 6: 108, 8: 2, 9: 1}, x, np.maximum(y, 0), flagged_int8(q) + raw(bs) + raw(ws) + raw([xs]),
          "x is rounded to int8 with the stored scale, int32 sums, out = sum / (weight scale * input scale) + bias; no value is near a tie")
    # dynamic weights come as inputs
    x, wt, bs = g.rng.data(3, 5, 4), g.rng.data(4, 3, 2, 3, lo=-1, hi=1), g.rng.data(4)
    y = conv(x, wt, bs, (3, 2), pads=(1, 1, 0, 1))
    g.one("dynamic_weight", {0: 4, 1: 3, 11: 2, 4: 1, 15: 1, 14: 0, 16: 1, 5: 1, 19: 1}, [x, wt, bs], y,
          note="weights [outch,inch,kh,kw] and bias are the second and third input; the kernel size is taken from the weight blob")
    g.write()


def convolution_depthwise():
    g = Golden("ConvolutionDepthWise", 2e-5, 2e-5)
    g.one("hand_two_channels", {0: 2, 1: 1, 5: 1, 6: 2, 7: 2}, f32([[[1, 2]], [[3, 4]]]), f32([[[3, 5]], [[8, 11]]]),
          flagged([2, 3]) + raw([1, -1]), "typed in")
    conv_case(g, "dw_k3_pad1", 8, (6, 7), 8, 3, pads=1, group=8)
    conv_case(g, "dw_k3_pad1_c5", 5, (6, 7), 5, 3, pads=1, group=5)
    conv_case(g, "dw_k3s2_relu", 4, (9, 8), 4, 3, 2, pads=(0, 1, 0, 1), group=4, act=1)
    conv_case(g, "dw_k5_d2", 3, (9, 10), 3, 5, dilation=2, pads=4, group=3)
    conv_case(g, "dw_k5s2", 4, (9, 10), 4, 5, 2, pads=2, group=4, bias=False)
    conv_case(g, "dw_k7x3", 4, (7, 9), 4, (7, 3), (2, 1), pads=(3, 2, 1, 0), group=4)
    conv_case(g, "dw_k1", 6, (3, 3), 6, 1, group=6)
    conv_case(g, "dw_multiplier_2", 3, (5, 6), 6, 3, pads=1, group=3, note="two outputs a group: output channels of a group are adjacent")
    conv_case(g, "group2", 4, (6, 6), 6, 3, pads=1, group=2)
    conv_case(g, "group3_s2", 6, (7, 6), 3, (3, 2), 2, pads=1, group=3, act=2, actp=(0.25,))
    conv_case(g, "group4_pack", 16, (5, 5), 16, 3, pads=1, group=4)
    conv_case(g, "group1", 4, (5, 5), 6, 3, group=1)
    conv_case(g, "pad_value", 4, (4, 5), 4, 3, pads=1, group=4, pad_value=-1.25)
    for mode in ("upper", "lower"):
        conv_case(g, "same_%s" % mode, 4, (7, 6), 4, 3, 2, pads=mode, group=4)
        conv_case(g, "same_%s_even" % mode, 4, (7, 6), 8, (2, 4), (1, 2), pads=mode, group=2)
    conv_case(g, "act_clip", 4, (5, 5), 4, 3, group=4, act=3, actp=(0.0, 6.0))
    conv_case(g, "act_sigmoid", 4, (5, 5), 4, 3, group=4, act=4)
    conv_case(g, "act_mish", 4, (5, 5), 4, 3, group=2, act=5)
    conv_case(g, "act_hardswish", 4, (5, 5), 4, 3, group=4, act=6, actp=(1 / 6.0, 0.5))
    conv_case(g, "weights_fp16", 3, (5, 5), 3, 3, group=3, store="fp16")
    conv_case(g, "weights_codebook", 5, (5, 5), 5, 3, group=5, store="codebook")
    x, wt, bs = g.rng.data(4, 5, 4), g.rng.data(4, 1, 3, 3, lo=-1, hi=1), g.rng.data(4)
    y = conv(x, wt, bs, 3, pads=(1, 1, 1, 1), group=4)
    g.one("dynamic_weight", {0: 4, 1: 3, 4: 1, 5: 1, 7: 4, 19: 1}, [x, wt, bs], y)
    g.write()


def deconv_case(g, name, inch, size, outch, kernel, stride=1, dilation=1, pads=0, group=None, bias=True, act=0, actp=None,
                out_pad=None, output=None, store="f32", note=None):
    h, w = size
    kw, kh = pair(kernel)
    gr = group or 1
    x = g.rng.data(inch, h, w)
    wt = g.rng.data(outch, inch // gr, kh, kw, lo=-1, hi=1)
    bs = g.rng.data(outch) if bias else None
    p = keys(outch, kernel, stride, dilation, pads, bias, wt.size, group)
    if out_pad is not None:
        p[18] = pair(out_pad)[0]
        if isinstance(out_pad, tuple):
            p[19] = out_pad[1]
    if output is not None:
        p[20], p[21] = output
    if act:
        p[9] = act
        if actp:
            p[10] = list(actp)
    y = activation(deconv(x, wt, bs, kernel, stride, dilation, full_pads(pads), pair(out_pad or 0), gr, output), act, actp or ())
    blob = flagged_fp16(wt) if store == "fp16" else flagged(wt)
    g.one(name, p, x, y, blob + (raw(bs) if bias else b""), note)


def deconvolutions(layer, grouped):
    g = Golden(layer, 2e-5, 2e-5)
    k = {7: 1} if grouped else {}
    g.one("hand_stamp", {**{0: 1, 1: 2, 11: 1, 3: 2, 5: 1, 6: 2}, **k}, f32([[[1, 2]]]), f32([[[10.5, 20.5, 20.5, 40.5]]]),
          flagged([10, 20]) + raw([0.5]), "typed in: every input stamps the kernel at its stride")
    g.one("hand_overlap", {**{0: 1, 1: 3, 11: 1, 6: 3}, **k}, f32([[[1, 10]]]), f32([[[1, 12, 23, 30]]]),
          flagged([1, 2, 3]), "typed in: overlapping stamps add")

    def both(name, inch, size, outch, *a, **b):
        if not grouped:
            deconv_case(g, name, inch, size, outch, *a, **b)
        else:
            n = 4 if inch % 4 == 0 else inch
            deconv_case(g, "dw_" + name, n, size, n, *a, group=n, **b)
    both("k1", 3, (3, 4), 5, 1)
    both("k2s2", 4, (3, 4), 4, 2, 2)
    both("k3", 3, (4, 3), 4, 3)
    both("k3s2_pad1", 4, (4, 3), 8, 3, 2, pads=1)
    both("k4s2_pad1_relu", 8, (4, 4), 4, 4, 2, pads=1, act=1)
    both("k3s2_pad1_outpad1", 4, (3, 4), 4, 3, 2, pads=1, out_pad=1)
    both("outpad_wh_differ", 3, (3, 4), 4, 4, 3, pads=(1, 1, 0, 2), out_pad=(2, 1))
    both("outpad_beyond_stamps", 3, (2, 2), 2, 1, 3, out_pad=(2, 1), note="the added border holds the bias alone")
    both("pad_asym", 3, (5, 4), 4, (4, 3), 2, pads=(0, 2, 1, 0))
    both("k_s_d_differ", 2, (4, 3), 3, (3, 2), (2, 3), (2, 1), pads=(1, 0, 1, 1))
    both("d2", 3, (3, 4), 4, 3, 1, 2, bias=False)
    for mode in ("upper", "lower"):
        both("same_%s_output_size" % mode, 3, (3, 4), 4, 3, 2, pads=mode, output=(8, 6))
        both("same_%s_odd_cut" % mode, 3, (3, 4), 4, 4, 2, pads=mode, output=(7, 7))
    both("act_leaky", 4, (3, 3), 4, 3, 2, act=2, actp=(0.125,))
    both("act_clip", 4, (3, 3), 4, 3, 2, act=3, actp=(-0.5, 1.5))
    both("act_sigmoid", 4, (3, 3), 4, 3, 2, act=4)
    both("act_mish", 4, (3, 3), 4, 3, 2, act=5)
    both("act_hardswish", 4, (3, 3), 4, 3, 2, act=6, actp=(1 / 6.0, 0.5))
    both("weights_fp16", 3, (3, 3), 3, 3, 2, store="fp16")
    if grouped:
        deconv_case(g, "group2", 4, (3, 4), 6, 3, 2, pads=1, group=2)
        deconv_case(g, "group3", 6, (3, 4), 3, (2, 3), 2, group=3)
        deconv_case(g, "group1", 4, (3, 4), 3, 3, 2, group=1)
        deconv_case(g, "multiplier_2", 3, (3, 4), 6, 2, 2, group=3)
        deconv_case(g, "group4_pack", 16, (3, 3), 16, 3, 2, pads=1, group=4)
    g.write()


if __name__ == "__main__":
    convolution()
    convolution_depthwise()
    deconvolutions("Deconvolution", False)
    deconvolutions("DeconvolutionDepthWise", True)
