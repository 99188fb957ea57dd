"""Pooling."""
import numpy as np

from golden_common import Golden, f32, f64
from make_conv import pair, same_pads

MAX, AVG = 0, 1


def pool(x, kind, kernel, stride, pads, mode, include_pad):
    """The window of output i starts at i*stride - pad_before. Border cells never win a max. An average divides by the
    cells inside the image, or with include_pad by the kernel area; SAME borders count as cells with value 0."""
    x = f64(x)
    (kw, kh), (sw, sh) = pair(kernel), pair(stride)
    c, h, w = x.shape

    def axis(size, k, s, before, after):
        if mode in (2, 3):
            b, a = same_pads(size, k, s, mode == 3)
            return b, a, 0
        tail = (size + before + after - k) % s
        return before, after, (s - tail if mode == 0 and tail else 0)

    l, r, wt = axis(w, kw, sw, pads[0], pads[1])
    t, b, ht = axis(h, kh, sh, pads[2], pads[3])
    fill = -float(np.finfo(np.float32).max) if kind == MAX else 0.0
    p = np.pad(x, ((0, 0), (t, b + ht), (l, r + wt)), constant_values=fill)
    inside = np.pad(np.ones((h, w)), ((t, b + ht), (l, r + wt)), constant_values=1.0 if mode in (2, 3) else 0.0)
    ow, oh = (p.shape[2] - kw) // sw + 1, (p.shape[1] - kh) // sh + 1
    y = np.zeros((c, oh, ow))
    for i in range(oh):
        for j in range(ow):
            win = p[:, i * sh:i * sh + kh, j * sw:j * sw + kw]
            if kind == MAX:
                y[:, i, j] = win.max(axis=(1, 2))
            else:
                area = kw * kh if include_pad else inside[i * sh:i * sh + kh, j * sw:j * sw + kw].sum()
                y[:, i, j] = win.sum(axis=(1, 2)) / area
    return y


def adaptive(x, kind, ow, oh):
    x = f64(x)
    c, h, w = x.shape
    y = np.zeros((c, oh, ow))
    for i in range(oh):
        for j in range(ow):
            win = x[:, i * h // oh:-(-(i + 1) * h // oh), j * w // ow:-(-(j + 1) * w // ow)]
            y[:, i, j] = win.max(axis=(1, 2)) if kind == MAX else win.mean(axis=(1, 2))
    return y


def main():
    g = Golden("Pooling")

    def case(name, kind, shape, kernel, stride=1, pads=0, mode=0, include_pad=0, note=None):
        kw, kh = pair(kernel)
        p = {0: kind, 1: kw}
        if isinstance(kernel, tuple):
            p[11] = kh
        if stride != 1:
            p[2] = pair(stride)[0]
            if isinstance(stride, tuple):
                p[12] = stride[1]
        if pads != 0:
            if isinstance(pads, tuple):
                p[3], p[14], p[13], p[15] = pads
            else:
                p[3] = pads
        if mode:
            p[5] = mode
        if include_pad:
            p[6] = 1
        x = g.rng.data(*shape)
        y = pool(x, kind, kernel, stride, pads if isinstance(pads, tuple) else (pads,) * 4, mode, include_pad)
        g.one(name, p, x, y, note=note)

    x = f32([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]])
    g.one("hand_max_ceil", {0: 0, 1: 2, 2: 2}, x, f32([[[5, 6], [8, 9]]]), note="typed in: pad_mode 0 rounds the size up, windows at the far edge are cut")
    g.one("hand_avg_ceil", {0: 1, 1: 2, 2: 2}, x, f32([[[3, 4.5], [7.5, 9]]]), note="typed in: a cut window divides by the cells it holds")
    g.one("hand_avg_ceil_include_pad", {0: 1, 1: 2, 2: 2, 6: 1}, x, f32([[[3, 2.25], [3.75, 2.25]]]),
          note="typed in: with include_pad the divisor is the whole kernel area even past the ceil border (Caffe would not count that border)")
    g.one("hand_max_valid", {0: 0, 1: 2, 2: 2, 5: 1}, x, f32([[[5]]]), note="typed in")
    g.one("hand_avg_pad", {0: 1, 1: 3, 2: 3, 3: 1, 5: 1}, x, f32([[[3]]]), note="typed in: (1+2+4+5)/4")
    g.one("hand_avg_pad_include", {0: 1, 1: 3, 2: 3, 3: 1, 5: 1, 6: 1}, x, f32([[[12 / 9.0]]]), note="typed in: (1+2+4+5)/9")

    for kind, k in ((MAX, "max"), (AVG, "avg")):
        case(k + "_k2s2", kind, (3, 6, 8), 2, 2)
        case(k + "_k3s2_ceil", kind, (4, 8, 7), 3, 2)
        case(k + "_k3s2_pad1_ceil", kind, (4, 8, 8), 3, 2, 1)
        case(k + "_k3s2_valid", kind, (4, 8, 7), 3, 2, mode=1)
        case(k + "_k3s2_pad1_valid", kind, (8, 8, 7), 3, 2, 1, mode=1)
        case(k + "_k3s1_pad1", kind, (2, 5, 6), 3, 1, 1)
        case(k + "_pad_asym", kind, (3, 6, 7), 3, 2, (0, 1, 1, 0))
        case(k + "_pad_asym_valid", kind, (3, 6, 7), 3, 2, (1, 0, 0, 1), mode=1)
        case(k + "_k_wh_differ", kind, (3, 7, 6), (3, 2), (2, 1), (1, 1, 0, 1))
        case(k + "_k1s2", kind, (2, 5, 5), 1, 2)
        case(k + "_k5s3_ceil", kind, (3, 9, 10), 5, 3, 2)
        for mode, m in ((2, "upper"), (3, "lower")):
            case("%s_same_%s_k3s2" % (k, m), kind, (4, 6, 7), 3, 2, mode=mode)
            case("%s_same_%s_k2s1" % (k, m), kind, (3, 4, 5), 2, 1, mode=mode)
            case("%s_same_%s_k_wh" % (k, m), kind, (3, 7, 8), (4, 3), (3, 2), mode=mode)
    for mode in (0, 1, 2, 3):
        case("avg_include_pad_mode%d" % mode, AVG, (4, 8, 7), 3, 2, 0 if mode > 1 else 1, mode=mode, include_pad=1)
    case("avg_include_pad_asym", AVG, (3, 6, 7), (3, 4), 2, (0, 2, 1, 1), include_pad=1)
    x = g.rng.data(2, 3, 3)
    g.one("max_window_outside_image", {0: 0, 1: 2, 2: 2, 3: 1}, x, pool(x, MAX, 2, 2, (1, 1, 1, 1), 0, 0),
          note="the last window of pad_mode 0 lies wholly in the border; Caffe would drop it, the format keeps it with -FLT_MAX")

    for kind, k in ((MAX, "max"), (AVG, "avg")):
        for shape in ((5, 4, 6), (8, 7, 7), (3, 1, 1), (2, 33, 5)):
            x = g.rng.data(*shape)
            y = x.max(axis=(1, 2)) if kind == MAX else f64(x).mean(axis=(1, 2))
            g.one("%s_global_%dx%dx%d" % ((k,) + shape), {0: kind, 4: 1}, x, y, note="output is 1-d [C]")
        x = g.rng.data(3, 4, 5)
        y = x.max(axis=(1, 2)) if kind == MAX else f64(x).mean(axis=(1, 2))
        g.one("%s_global_ignores_kernel" % k, {0: kind, 1: 3, 2: 2, 3: 1, 4: 1}, x, y)
        for ow, oh, shape in ((3, 3, (4, 7, 8)), (2, 4, (3, 9, 5)), (1, 1, (3, 4, 4)), (7, 6, (2, 3, 4)), (5, 5, (2, 5, 5))):
            x = g.rng.data(*shape)
            g.one("%s_adaptive_%dx%d_of_%dx%d" % (k, oh, ow, shape[1], shape[2]), {0: kind, 7: 1, 8: ow, 18: oh}, x, adaptive(x, kind, ow, oh))
        x = g.rng.data(3, 6, 5)
        g.one("%s_adaptive_square" % k, {0: kind, 7: 1, 8: 2}, x, adaptive(x, kind, 2, 2))
        g.one("%s_adaptive_keep_w" % k, {0: kind, 7: 1, 8: -233, 18: 2}, x, adaptive(x, kind, 5, 2), note="-233 keeps the input size")
        g.one("%s_adaptive_keep_h" % k, {0: kind, 7: 1, 8: 3, 18: -233}, x, adaptive(x, kind, 3, 6), note="-233 keeps the input size")
    g.write()


if __name__ == "__main__":
    main()
