"""Reduction, Softmax, ArgMax, Interp."""
import math

import numpy as np

from golden_common import Golden, f32, f64

OPS = ["sum", "asum", "sumsq", "mean", "max", "min", "prod", "l1", "l2", "logsum", "logsumexp"]


def reduce_ref(x, op, axes, keep, coeff):
    x = f64(x)
    k = dict(axis=axes, keepdims=keep)
    y = {"sum": lambda: x.sum(**k), "asum": lambda: np.abs(x).sum(**k), "sumsq": lambda: (x * x).sum(**k), "mean": lambda: x.mean(**k),
         "max": lambda: x.max(**k), "min": lambda: x.min(**k), "prod": lambda: x.prod(**k), "l1": lambda: np.abs(x).sum(**k),
         "l2": lambda: np.sqrt((x * x).sum(**k)), "logsum": lambda: np.log(x.sum(**k)), "logsumexp": lambda: np.log(np.exp(x).sum(**k))}[op]()
    return np.asarray(y * coeff).reshape(-1) if np.ndim(y) == 0 else y * coeff


def reduction():
    g = Golden("Reduction", 1e-5, 2e-5)
    for i, op in enumerate(OPS):
        lo, hi = (0.25, 2) if op in ("logsum", "prod") else (-2, 2)
        x = g.rng.data(3, 4, 5, lo=lo, hi=hi)
        if op == "prod":
            x = x / 2 + np.float32(0.5)
        g.one("%s_all" % op, {0: i, 1: 1, 5: 1}, x, reduce_ref(x, op, None, False, 1), note="output is 1-d [1]")
        g.one("%s_all_keepdims" % op, {0: i, 1: 1, 4: 1, 5: 1}, x, reduce_ref(x, op, None, True, 1))
        g.one("%s_pixels" % op, {0: i, 1: 0, 3: [1, 2], 5: 1}, x, reduce_ref(x, op, (1, 2), False, 1))
        g.one("%s_channel_keepdims" % op, {0: i, 1: 0, 3: [0], 4: 1, 5: 1}, x, reduce_ref(x, op, (0,), True, 1))
        g.one("%s_w_coeff" % op, {0: i, 1: 0, 2: 0.5, 3: [-1], 5: 1}, x, reduce_ref(x, op, (2,), False, 0.5), note="the result is multiplied by coeff")
    for shape in ((7,), (4, 6), (3, 4, 5), (2, 3, 2, 4), (8, 3, 3)):
        n = len(shape)
        for mask in range(1, 1 << n):
            axes = tuple(a for a in range(n) if mask >> a & 1)
            for keep in (False, True):
                x = g.rng.data(*shape)
                y = reduce_ref(x, "sum", axes, keep, 1)
                g.one("axes_%s_%s%s" % ("x".join(map(str, shape)), "".join(map(str, axes)), "_keep" if keep else ""),
                      {0: 0, 1: 0, 3: list(axes), 4: int(keep), 5: 1}, x, y)
    g.write()


def softmax():
    g = Golden("Softmax", 1e-6, 1e-5)

    def ref(x, axis):
        e = np.exp(f64(x) - f64(x).max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    g.one("hand", {}, f32([0, math.log(3)]), f32([0.25, 0.75]))
    for shape in ((10,), (4, 6), (8, 5), (3, 4, 5), (8, 4, 4), (2, 3, 2, 4)):
        for axis in range(len(shape)):
            x = g.rng.data(*shape, lo=-5, hi=5)
            t = "x".join(map(str, shape))
            g.one("%s_axis%d" % (t, axis), {0: axis, 1: 1}, x, ref(x, axis))
            g.one("%s_axis%d" % (t, axis - len(shape)), {0: axis - len(shape), 1: 1}, x, ref(x, axis))
    x = g.rng.data(3, 2, 2)
    g.one("default_axis_is_0", {}, x, ref(x, 0))
    x = f32([1000, 999, -1000, 0])
    g.one("large_values", {}, x, ref(x, 0), note="the maximum is subtracted first")
    g.write()


def argmax():
    g = Golden("ArgMax", 0, 0)
    for shape in ((12,), (3, 5), (3, 2, 2), (3, 4, 4)):
        for topk in (1, 4):
            x = g.rng.distinct(*shape)
            v = x.reshape(-1)
            order = np.argsort(-v)[:topk]
            t = "%s_top%d" % ("x".join(map(str, shape)), topk)
            absent = "; differs from ncnn's usual builds only in that they leave the layer out"
            g.one(t, {1: topk}, x, f32([order]), note="[1, topk]: indexes into the flat blob, as floats" + absent)
            g.one(t + "_values", {0: 1, 1: topk}, x, f32([v[order], order]), note="[2, topk]: values, then indexes" + absent)
    for shape, axis in (((7,), 0), ((3, 5), 1), ((4, 3, 5), 0), ((4, 3, 5), -1), ((9, 4, 2), 1), ((2, 3, 4, 5), 2)):
        x = g.rng.data(*shape)
        y = f32(np.argmax(x, axis)) if len(shape) > 1 else f32([np.argmax(x)])
        g.one("axis%d_%s" % (axis, "x".join(map(str, shape))), {2: axis}, x, y, note="differs from ncnn: an axis (2)")
    g.one("axis_ties", {2: 0}, f32([[[1, 2]], [[1, 3]], [[0, 3]]]), f32([[0, 1]]), note="differs from ncnn: an axis (2); the first of equals")
    g.one("axis_ties_last", {2: 0, 3: 1}, f32([[[1, 2]], [[1, 3]], [[0, 3]]]), f32([[1, 2]]), note="differs from ncnn: an axis (2); the last of equals (3)")
    g.write()


def axis_linear(n, out, align, given=0):
    """-> list of (i0, i1, weight of i1)"""
    res = []
    scale = (n - 1) / (out - 1) if align and out > 1 else 1 / given if given else n / out
    for d in range(out):
        f = d * scale if align else (d + 0.5) * scale - 0.5
        i = math.floor(f)
        f -= i
        if i < 0:
            i, f = 0, 0.0
        if i >= n - 1:
            i, f = n - 1, 0.0
        res.append((i, min(i + 1, n - 1), f))
    return res


def axis_cubic(n, out, align, given=0):
    a = -0.75
    res = []
    scale = (n - 1) / (out - 1) if align and out > 1 else 1 / given if given else n / out
    for d in range(out):
        f = d * scale if align else (d + 0.5) * scale - 0.5
        i = math.floor(f)
        f -= i
        c = [((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a, ((a + 2) * f - (a + 3)) * f * f + 1,
             ((a + 2) * (1 - f) - (a + 3)) * (1 - f) ** 2 + 1, 0.0]
        c[3] = 1 - sum(c)
        res.append([(min(max(i - 1 + k, 0), n - 1), c[k]) for k in range(4)])
    return res


def resize(x, kind, out, align=False, scale=(0, 0)):
    """x [..., W] or [..., H, W]; out: sizes of the resized trailing axes; scale: given factors (0: from the sizes)."""
    y = f64(x)
    first = y.ndim - len(out)
    for k, n_out in enumerate(out):
        ax = first + k
        n = y.shape[ax]
        src = np.moveaxis(y, ax, -1)
        dst = np.zeros(src.shape[:-1] + (n_out,))
        if kind == 1:
            s = np.float32(1) / np.float32(scale[k]) if scale[k] else np.float32(n) / np.float32(n_out)
            for d in range(n_out):
                dst[..., d] = src[..., min(int(np.float32(d) * s), n - 1)]
        elif kind == 2:
            for d, (i, j, f) in enumerate(axis_linear(n, n_out, align, scale[k])):
                dst[..., d] = src[..., i] * (1 - f) + src[..., j] * f
        else:
            for d, taps in enumerate(axis_cubic(n, n_out, align, scale[k])):
                for i, c in taps:
                    dst[..., d] += src[..., i] * c
        y = np.moveaxis(dst, -1, ax)
    return y


def place(d, n, n_out, coordinates):
    """ONNX's coordinate_transformation_mode: the place in the input of output d."""
    if coordinates == 2:
        return d * n / n_out
    if coordinates == 3:
        return d * (n - 1) / (n_out - 1) if n_out > 1 else 0.0
    if coordinates == 4 and n_out == 1:
        return 0.0
    return (d + 0.5) * n / n_out - 0.5


def resize_at(x, kind, out, coordinates, rounding=0, a=-0.75):
    y = f64(x)
    round_of = (math.floor, math.ceil, lambda v: math.ceil(v - 0.5), lambda v: math.floor(v + 0.5))[rounding]
    for k, n_out in enumerate(out):
        ax = y.ndim - len(out) + k
        n = y.shape[ax]
        src = np.moveaxis(y, ax, -1)
        dst = np.zeros(src.shape[:-1] + (n_out,))
        for d in range(n_out):
            p = place(d, n, n_out, coordinates)
            if kind == 1:
                taps = [(round_of(p), 1.0)]
            else:
                i, f = math.floor(p), p - math.floor(p)
                taps = [(i, 1 - f), (i + 1, f)]
                if kind == 3:
                    near = lambda t: (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1
                    far = lambda t: a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a
                    taps = [(i - 1, far(1 + f)), (i, near(f)), (i + 1, near(1 - f)), (i + 2, far(2 - f))]
            for i, c in taps:
                dst[..., d] += src[..., min(max(i, 0), n - 1)] * c
        y = np.moveaxis(dst, -1, ax)
    return y


def interp():
    g = Golden("Interp", 2e-5, 1e-5)
    g.one("hand_nearest_x2", {0: 1, 1: 2.0, 2: 2.0}, f32([[[1, 2], [3, 4]]]), f32([[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]), note="typed in")
    g.one("hand_bilinear_x2", {0: 2, 1: 1.0, 2: 2.0}, f32([[[0, 4], [8, 12]]]), f32([[[0, 1, 3, 4], [8, 9, 11, 12]]]), note="typed in: half-pixel centres")
    g.one("hand_bilinear_align", {0: 2, 3: 2, 4: 3, 6: 1}, f32([[[0, 4], [8, 12]]]), f32([[[0, 2, 4], [8, 10, 12]]]), note="typed in")
    names = {1: "nearest", 2: "bilinear", 3: "bicubic"}
    for kind, name in names.items():
        for c, h, w, oh, ow in ((3, 5, 6, 10, 12), (4, 5, 7, 8, 9), (2, 8, 9, 4, 5), (8, 4, 5, 6, 13), (3, 6, 5, 6, 11), (2, 7, 7, 3, 3)):
            x = g.rng.data(c, h, w)
            t = "%dx%dx%d_to_%dx%d" % (c, h, w, oh, ow)
            g.one("%s_%s" % (name, t), {0: kind, 3: oh, 4: ow}, x, resize(x, kind, (oh, ow)))
            if kind > 1:
                g.one("%s_align_%s" % (name, t), {0: kind, 3: oh, 4: ow, 6: 1}, x, resize(x, kind, (oh, ow), True))
        for hs, ws in ((2.0, 2.0), (3.0, 2.0), (1.5, 2.5), (0.5, 0.75)):
            x = g.rng.data(3, 5, 7)
            out = (int(5 * hs), int(7 * ws))
            g.one("%s_scale_%gx%g" % (name, hs, ws), {0: kind, 1: hs, 2: ws}, x, resize(x, kind, out, scale=(hs, ws)), note="size = int(in * scale); coordinates use 1/scale, not the ratio of the sizes")
        x = g.rng.data(3, 7)
        g.one("%s_2d" % name, {0: kind, 3: 3, 4: 12}, x, resize(x, kind, (12,)), note="2-d: only w is resized")
        x = g.rng.data(5)
        g.one("%s_1d" % name, {0: kind, 3: 2, 4: 3}, x, np.broadcast_to(x.reshape(5, 1, 1), (5, 2, 3)), note="1-d counts as [C,1,1]")
        x, r = g.rng.data(3, 4, 5), g.rng.data(2, 7, 9)
        g.one("%s_size_of_second_input" % name, {0: kind, 5: 1}, [x, r], resize(x, kind, (7, 9)))
    x = g.rng.data(4, 3, 5)
    g.one("same_size", {0: 2, 3: 3, 4: 5}, x, x)
    x = g.rng.data(4, 1, 1)
    g.one("bilinear_from_1x1", {0: 2, 3: 4, 4: 3}, x, np.broadcast_to(x, (4, 4, 3)))
    x = g.rng.data(4, 4, 6)
    g.one("bilinear_align_to_1x1", {0: 2, 3: 1, 4: 1, 6: 1}, x, resize(x, 2, (1, 1), True))
    for coordinates in (1, 2, 3, 4):
        for h, w, oh, ow in ((4, 5, 8, 10), (5, 7, 8, 9), (8, 6, 4, 3), (6, 5, 1, 1)):
            x = g.rng.data(3, h, w)
            t = "coordinates%d_%dx%d_to_%dx%d" % (coordinates, h, w, oh, ow)
            for rounding in (0, 1, 2, 3):
                g.one("nearest%d_%s" % (rounding, t), {0: 1, 3: oh, 4: ow, 20: coordinates, 21: rounding}, x, resize_at(x, 1, (oh, ow), coordinates, rounding), note="differs from ncnn: coordinates (20)")
            for kind in (2, 3):
                g.one("%s_%s" % (names[kind], t), {0: kind, 3: oh, 4: ow, 20: coordinates}, x, resize_at(x, kind, (oh, ow), coordinates), note="differs from ncnn: coordinates (20)")
    x = g.rng.data(2, 4, 5)
    g.one("cubic_a", {0: 3, 3: 7, 4: 9, 20: 1, 22: -0.5}, x, resize_at(x, 3, (7, 9), 1, a=-0.5), note="differs from ncnn: cubic_a (22)")
    g.write()


if __name__ == "__main__":
    reduction()
    softmax()
    argmax()
    interp()
