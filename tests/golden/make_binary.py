"""Layers with several inputs element by element: BinaryOp, Eltwise."""
import numpy as np

from golden_common import Golden, f32, f64


def align(x, other):
    """ncnn's implicit broadcast: a lower rank is aligned at the outermost axis (numpy aligns at the innermost)."""
    x = f64(x)
    if x.ndim < other.ndim and x.size > 1:
        if other.ndim == 2 and x.ndim == 1 and x.size != other.shape[0]:
            return x.reshape(1, -1)
        return x.reshape(x.shape + (1,) * (other.ndim - x.ndim))
    if x.size == 1:
        return x.reshape((1,) * max(x.ndim, other.ndim))
    return x


OPS = [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide), ("max", np.maximum), ("min", np.minimum),
       ("pow", np.power), ("rsub", lambda a, b: b - a), ("rdiv", lambda a, b: b / a), ("rpow", lambda a, b: np.power(b, a)),
       ("atan2", np.arctan2), ("ratan2", lambda a, b: np.arctan2(b, a))]


def binary():
    g = Golden("BinaryOp", 1e-5, 2e-5)
    for i, (name, fn) in enumerate(OPS):
        lo, hi = (0.25, 3) if name in ("div", "rdiv", "pow", "rpow") else (-3, 3)
        for shape in ((4, 3, 5), (9,)):
            a, b = g.rng.data(*shape, lo=lo, hi=hi), g.rng.data(*shape, lo=lo, hi=hi)
            g.one("%s_same_%dd" % (name, len(shape)), {0: i}, [a, b], fn(f64(a), f64(b)))
        a = g.rng.data(4, 3, 5, lo=lo, hi=hi)
        g.one("%s_scalar" % name, {0: i, 1: 1, 2: 1.75}, a, fn(f64(a), 1.75))
        a, b = g.rng.data(4, 3, 5, lo=lo, hi=hi), g.rng.data(4, lo=lo, hi=hi)
        g.one("%s_channel_right" % name, {0: i}, [a, b], fn(f64(a), f64(b).reshape(4, 1, 1)))
        g.one("%s_channel_left" % name, {0: i}, [b, a], fn(f64(b).reshape(4, 1, 1), f64(a)))
    a = g.rng.data(3, 7)
    g.one("scalar_default_b", {0: 0, 1: 1}, a, a, note="b defaults to 0")
    a = g.rng.data(4, 3, 5, lo=0.25)
    g.one("scalar_square", {0: 6, 1: 1, 2: 2.0}, a, f64(a) ** 2)

    sub = OPS[1][1]

    def cast(sa, sb, note=None):
        a, b = g.rng.data(*sa), g.rng.data(*sb)
        name = "broadcast_%s_%s" % ("x".join(map(str, sa)), "x".join(map(str, sb)))
        big = a if a.ndim >= b.ndim else b
        y = sub(align(a, big), align(b, big))
        g.one(name, {0: 1}, [a, b], y, note=note)

    one = ((1,), (1, 1), (1, 1, 1), (1, 1, 1, 1))
    full = ((6,), (4, 6), (4, 3, 5), (4, 2, 3, 5))
    for i in range(4):
        for j in range(i + 1):
            cast(full[i], one[j])
            cast(one[j], full[i])
        cast(full[i], full[i])
    explicit = [((4, 6), (4, 1)), ((4, 6), (1, 6)), ((4, 3, 5), (4, 1, 1)), ((4, 3, 5), (1, 3, 5)), ((4, 3, 5), (4, 3, 1)), ((4, 3, 5), (4, 1, 5)),
                ((4, 3, 5), (1, 3, 1)), ((4, 3, 5), (1, 1, 5)), ((8, 3, 5), (8, 1, 1)), ((8, 3, 5), (1, 3, 5)), ((4, 2, 3, 5), (4, 1, 1, 1)),
                ((4, 2, 3, 5), (1, 2, 1, 1)), ((4, 2, 3, 5), (1, 1, 3, 5)), ((4, 2, 3, 5), (4, 2, 3, 1)), ((4, 2, 3, 5), (1, 1, 1, 5)),
                ((4, 2, 3, 5), (4, 1, 3, 1)), ((4, 2, 3, 5), (1, 2, 3, 5))]
    for a, b in explicit:
        cast(a, b)
        cast(b, a)
    for a, b in (((4, 3, 1), (1, 3, 5)), ((4, 1, 5), (1, 3, 1)), ((4, 1), (1, 6))):
        cast(a, b, "both sides are expanded")
    inner = [((4, 6), (4,)), ((4, 3, 5), (4,)), ((4, 3, 5), (4, 3)), ((4, 2, 3, 5), (4,)), ((4, 2, 3, 5), (4, 2)), ((4, 2, 3, 5), (4, 2, 3)),
             ((8, 6), (8,)), ((8, 3, 5), (8,)), ((8, 3, 5), (8, 3)), ((5, 5), (5,)), ((3, 3, 3), (3,)), ((3, 3, 3), (3, 3))]
    for a, b in inner:
        cast(a, b, "the lower rank is aligned at the outermost axis")
        cast(b, a, "the lower rank is aligned at the outermost axis")
    cast((4, 6), (6,), "1-d of length W with [H,W], W != H: runs along W")
    cast((6,), (4, 6), "1-d of length W with [H,W], W != H: runs along W")
    g.write()


def eltwise():
    g = Golden("Eltwise")
    g.one("hand_sum_coeffs", {0: 1, 1: [2.0, -1.0]}, [f32([1, 2, 3]), f32([10, 20, 30])], f32([-8, -16, -24]), note="typed in")
    for shape in ((11,), (3, 7), (5, 3, 4), (8, 3, 3), (2, 3, 2, 4)):
        for n in (2, 3):
            xs = [g.rng.data(*shape) for _ in range(n)]
            t = "%s_%d" % ("x".join(map(str, shape)), n)
            g.one("prod_" + t, {0: 0}, xs, np.prod([f64(x) for x in xs], axis=0))
            g.one("sum_" + t, {0: 1}, xs, np.sum([f64(x) for x in xs], axis=0))
            g.one("max_" + t, {0: 2}, xs, np.max([f64(x) for x in xs], axis=0))
            co = [0.5, -1.25, 2.0][:n]
            g.one("sum_coeffs_" + t, {0: 1, 1: co}, xs, np.sum([c * f64(x) for c, x in zip(co, xs)], axis=0))
    xs = [g.rng.data(3, 4, 5) for _ in range(4)]
    g.one("default_is_prod_4", {}, xs[:4], np.prod([f64(x) for x in xs], axis=0))
    g.write()


if __name__ == "__main__":
    binary()
    eltwise()
