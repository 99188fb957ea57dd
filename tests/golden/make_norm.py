"""Normalisations and per-channel affine layers."""
import numpy as np

from golden_common import Golden, f32, f64, raw


def per_outer(v, rank):
    return f64(v).reshape((-1,) + (1,) * (rank - 1))


SHAPES = {1: (9,), 2: (5, 7), 3: (6, 3, 4), 4: (4, 2, 3, 3)}


def c32(v):
    return float(np.float32(v))


def affine():
    g = Golden("BatchNorm", 1e-5, 2e-5)
    g.one("hand", {0: 2}, f32([[1, 3], [10, 20]]), f32([[0 + 0.5, 4 + 0.5], [-2, 8]]),
          raw([2, 3]) + raw([1, 12]) + raw([1, 9]) + raw([0.5, 0]), "typed in: blobs are slope, mean, variance, bias")
    for r, shape in list(SHAPES.items()) + [("3c8", (8, 3, 3))]:
        for eps in (0.0, 1e-3):
            c = shape[0]
            x = g.rng.data(*shape)
            s, m, v, b = g.rng.data(c), g.rng.data(c), g.rng.data(c, lo=0.25, hi=3), g.rng.data(c)
            n = len(shape)
            y = (f64(x) - per_outer(m, n)) / np.sqrt(per_outer(v, n) + c32(eps)) * per_outer(s, n) + per_outer(b, n)
            g.one("%sd_eps%g" % (r, eps), {0: c, 1: eps} if eps else {0: c}, x, y, raw(s) + raw(m) + raw(v) + raw(b))
    g.write()

    g = Golden("Scale")
    g.one("hand", {0: 2, 1: 1}, f32([[1, 2], [3, 4]]), f32([[3, 5], [-2, -3]]), raw([2, -1]) + raw([1, 1]), "typed in")
    for r, shape in list(SHAPES.items()) + [("3c8", (8, 3, 3))]:
        c, n = shape[0], len(shape)
        x, s, b = g.rng.data(*shape), g.rng.data(c), g.rng.data(c)
        g.one("%sd" % r, {0: c}, x, f64(x) * per_outer(s, n), raw(s))
        g.one("%sd_bias" % r, {0: c, 1: 1}, x, f64(x) * per_outer(s, n) + per_outer(b, n), raw(s) + raw(b))
        g.one("%sd_two_inputs" % r, {0: -233}, [x, s], f64(x) * per_outer(s, n), note="the scale is the second input, 1-d [C]")
    g.write()

    g = Golden("Bias")
    for r, shape in ((3, SHAPES[3]), (4, SHAPES[4]), ("3c8", (8, 3, 3))):
        c, n = shape[0], len(shape)
        x, b = g.rng.data(*shape), g.rng.data(c)
        g.one("%sd" % r, {0: c}, x, f64(x) + per_outer(b, n), raw(b))
    g.write()


def lrn():
    g = Golden("LRN", 1e-5, 2e-5)

    def ref(x, region, size, alpha, beta, bias):
        x = f64(x)
        q = x * x
        a = np.zeros_like(x)
        c, h, w = x.shape
        half = size // 2
        if region == 0:
            for i in range(c):
                a[i] = q[max(0, i - half):i + (size - half - 1) + 1].sum(axis=0)
            k = alpha / size
        else:
            p = np.pad(q, ((0, 0), (half, size - half - 1), (half, size - half - 1)))
            for i in range(h):
                for j in range(w):
                    a[:, i, j] = p[:, i:i + size, j:j + size].sum(axis=(1, 2))
            k = alpha / (size * size)
        return x * (bias + k * a) ** -beta

    for region, n in ((0, "across"), (1, "within")):
        for size in (3, 5):
            x = g.rng.data(7, 5, 6)
            g.one("%s_size%d" % (n, size), {0: region, 1: size}, x, ref(x, region, size, 1.0, 0.75, 1.0))
        x = g.rng.data(8, 4, 5)
        g.one("%s_alexnet" % n, {0: region, 1: 5, 2: 1e-4, 3: 0.75, 4: 1.0}, x, ref(x, region, 5, c32(1e-4), 0.75, 1.0))
        g.one("%s_other" % n, {0: region, 1: 3, 2: 0.5, 3: 0.5, 4: 2.0}, x, ref(x, region, 3, 0.5, 0.5, 2.0))
        x = g.rng.data(2, 2, 3)
        g.one("%s_window_larger_than_blob" % n, {0: region, 1: 5}, x, ref(x, region, 5, 1.0, 0.75, 1.0))
    g.write()


def mvn():
    g = Golden("MVN", 2e-5, 2e-5)
    for shape in ((4, 5, 6), (8, 3, 3)):
        for nv in (0, 1):
            for across in (0, 1):
                for eps in (None, 0.01):
                    x = g.rng.data(*shape)
                    e = c32(1e-4) if eps is None else c32(eps)
                    ax = (0, 1, 2) if across else (1, 2)
                    d = f64(x) - f64(x).mean(axis=ax, keepdims=True)
                    y = d / (np.sqrt((d * d).mean(axis=ax, keepdims=True)) + e) if nv else d
                    p = {0: nv, 1: across}
                    if eps is not None:
                        p[2] = eps
                    g.one("var%d_across%d_c%d_%s" % (nv, across, shape[0], eps or "default_eps"), p, x, y)
    g.write()


def normalize():
    g = Golden("Normalize", 1e-5, 2e-5)
    g.one("hand_ssd", {0: 0, 1: 0, 2: 1e-10, 3: 2}, f32([[[3]], [[4]]]), f32([[[12.0]], [[8.0]]]), raw([20, 10]),
          "typed in: 3/5*20, 4/5*10")
    for spatial in (0, 1):
        for channel in (0, 1):
            if not spatial and not channel:
                continue
            for shared in (0, 1):
                for mode in (0, 1, 2):
                    shape = (4, 3, 5) if mode != 1 else (8, 3, 3)
                    x = g.rng.data(*shape)
                    eps = [0.5, 4.0, 20.0][mode]
                    s = g.rng.data(1 if shared else shape[0])
                    ax = tuple(([0] if channel else []) + ([1, 2] if spatial else []))
                    ss = (f64(x) ** 2).sum(axis=ax, keepdims=True)
                    n = [np.sqrt(ss + eps), np.maximum(np.sqrt(ss), eps), np.sqrt(np.maximum(ss, eps))][mode]
                    y = f64(x) / n * per_outer(s, 3)
                    g.one("spatial%d_channel%d_shared%d_eps_mode%d" % (spatial, channel, shared, mode),
                          {0: spatial, 4: channel, 1: shared, 2: eps, 9: mode, 3: s.size}, x, y, raw(s))
    x = g.rng.data(5, 3, 4)
    s = g.rng.data(5)
    y = f64(x) / np.sqrt((f64(x) ** 2).sum(axis=0) + c32(1e-4)) * per_outer(s, 3)
    g.one("defaults", {3: 5}, x, y, raw(s), "default: across channels at each pixel, eps 1e-4 inside the root")
    g.write()


def layer_norms():
    for layer in ("LayerNorm", "RMSNorm"):
        g = Golden(layer, 2e-5, 2e-5)

        def ref(x, axes, eps):
            x = f64(x)
            if layer == "LayerNorm":
                x = x - x.mean(axis=axes, keepdims=True)
            return x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + c32(eps))

        for shape, axes, tag in (((10,), (0,), "1d"), ((4, 9), (1,), "2d"), ((3, 4, 5), (2,), "3d_last"), ((3, 4, 5), (1, 2), "3d_last_two"),
                                 ((8, 2, 6), (2,), "3d_c8"), ((8, 2, 6), (1, 2), "3d_c8_last_two"), ((16, 5), (1,), "2d_h16")):
            n = int(np.prod([shape[a] for a in axes]))
            for eps in (None, 1e-5):
                x, ga, be = g.rng.data(*shape), g.rng.data(n), g.rng.data(n)
                tail = [shape[a] for a in axes]
                y = ref(x, axes, 1e-3 if eps is None else eps)
                p = {0: n}
                if eps is not None:
                    p[1] = eps
                ya = y * f64(ga).reshape(tail) + (f64(be).reshape(tail) if layer == "LayerNorm" else 0)
                e = "default_eps" if eps is None else "eps"
                g.one("%s_%s" % (tag, e), p, x, ya, raw(ga) + (raw(be) if layer == "LayerNorm" else b""))
                if eps is not None:
                    g.one("%s_no_affine" % tag, dict([(0, n), (1, eps), (2, 0)]), x, y)
        g.write()

    g = Golden("InstanceNorm", 2e-5, 2e-5)
    for shape in ((3, 4, 5), (8, 3, 3)):
        c = shape[0]
        for eps in (None, 1e-5):
            x, ga, be = g.rng.data(*shape), g.rng.data(c), g.rng.data(c)
            d = f64(x) - f64(x).mean(axis=(1, 2), keepdims=True)
            y = d / np.sqrt((d * d).mean(axis=(1, 2), keepdims=True) + c32(1e-3 if eps is None else eps))
            p = {0: c} if eps is None else {0: c, 1: eps}
            g.one("c%d_%s" % (c, "default_eps" if eps is None else "eps"), p, x, y * per_outer(ga, 3) + per_outer(be, 3), raw(ga) + raw(be))
            if eps is not None:
                g.one("c%d_no_affine" % c, dict([(0, 0), (1, eps), (2, 0)]), x, y)
    g.write()

    g = Golden("GroupNorm", 2e-5, 2e-5)
    for shape, groups in (((6, 3, 4), 3), ((6, 3, 4), 1), ((6, 3, 4), 6), ((16, 3, 3), 4), ((8, 5), 2), ((12,), 3), ((32, 2, 2), 2)):
        c = shape[0]
        x, ga, be = g.rng.data(*shape), g.rng.data(c), g.rng.data(c)
        v = f64(x).reshape(groups, -1)
        d = v - v.mean(axis=1, keepdims=True)
        y = (d / np.sqrt((d * d).mean(axis=1, keepdims=True) + c32(1e-5))).reshape(shape)
        n = "x".join(map(str, shape)) + "_g%d" % groups
        r = len(shape)
        g.one(n, {0: groups, 1: c, 2: 1e-5}, x, y * per_outer(ga, r) + per_outer(be, r), raw(ga) + raw(be))
        g.one(n + "_no_affine", {0: groups, 1: c, 2: 1e-5, 3: 0}, x, y)
    x, ga, be = g.rng.data(4, 3, 3), g.rng.data(4), g.rng.data(4)
    v = f64(x).reshape(2, -1)
    d = v - v.mean(axis=1, keepdims=True)
    y = (d / np.sqrt((d * d).mean(axis=1, keepdims=True) + c32(1e-3))).reshape(4, 3, 3)
    g.one("default_eps", {0: 2, 1: 4}, x, y * per_outer(ga, 3) + per_outer(be, 3), raw(ga) + raw(be))
    g.write()


if __name__ == "__main__":
    affine()
    lrn()
    mvn()
    normalize()
    layer_norms()
