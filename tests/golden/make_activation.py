"""Point-wise activations and other unary layers."""
import math

import numpy as np

from golden_common import Golden, f32, f64, hardswish, mish, raw, sigmoid, softplus

erf = np.vectorize(math.erf, otypes=[np.float64])


def shapes(g, params, fn, weights=b"", lo=-4, hi=4, tag="", ranks=(1, 2, 3, 4), **kw):
    for r in ranks:
        shape = {1: (13,), 2: (3, 7), 3: (5, 3, 4), 4: (2, 3, 2, 5)}[r]
        x = g.rng.data(*shape, lo=lo, hi=hi)
        g.one("%s%dd" % (tag, r), params, x, fn(f64(x)), weights, **kw)
    x = g.rng.data(8, 3, 5, lo=lo, hi=hi)
    g.one("%s3d_c8" % tag, params, x, fn(f64(x)), weights, **kw)


def c32(v):
    return float(np.float32(v))


def simple():
    g = Golden("ReLU")
    g.one("hand", {}, f32([-2, -0.0, 0, 3]), f32([0, 0, 0, 3]))
    g.one("hand_slope", {0: 0.5}, f32([-2, 0, 3]), f32([-1, 0, 3]))
    shapes(g, {}, lambda x: np.maximum(x, 0))
    shapes(g, {0: 0.1}, lambda x: np.where(x > 0, x, x * c32(0.1)), tag="slope_")
    shapes(g, {0: -0.25}, lambda x: np.where(x > 0, x, x * -0.25), tag="negative_slope_", ranks=(3,))
    g.write()

    g = Golden("PReLU")
    shapes(g, {0: 1}, lambda x: np.where(x < 0, x * 0.25, x), raw([0.25]), tag="shared_")
    s = g.rng.data(13)
    x = g.rng.data(13)
    g.one("per_element_1d", {0: 13}, x, np.where(x < 0, f64(x) * s, x), raw(s), "1-d: one slope an element")
    for shape in ((3, 7), (5, 3, 4), (8, 4, 3), (4, 2, 3, 2)):
        s = g.rng.data(shape[0])
        x = g.rng.data(*shape)
        sb = f64(s).reshape((-1,) + (1,) * (len(shape) - 1))
        g.one("per_channel_%dd_n%d" % (len(shape), shape[0]), {0: shape[0]}, x, np.where(x < 0, x * sb, x), raw(s), "one slope an outermost index")
    g.write()

    g = Golden("Clip")
    g.one("hand", {0: -1.0, 1: 2.0}, f32([-3, -1, 0.5, 2, 9]), f32([-1, -1, 0.5, 2, 2]))
    shapes(g, {0: -1.5, 1: 2.25}, lambda x: np.clip(x, -1.5, 2.25))
    shapes(g, {0: 0.0, 1: 6.0}, lambda x: np.clip(x, 0, 6), tag="relu6_", lo=-8, hi=8)
    shapes(g, {0: 0.5}, lambda x: np.maximum(x, 0.5), tag="min_only_", ranks=(3,))
    shapes(g, {1: 0.5}, lambda x: np.minimum(x, 0.5), tag="max_only_", ranks=(3,))
    g.write()

    g = Golden("ELU")
    shapes(g, {}, lambda x: np.where(x < 0, c32(0.1) * np.expm1(x), x), tag="default_alpha_0.1_")
    shapes(g, {0: 1.5}, lambda x: np.where(x < 0, 1.5 * np.expm1(x), x))
    g.write()

    g = Golden("CELU")
    shapes(g, {}, lambda x: np.maximum(x, 0) + np.minimum(0, np.expm1(x)))
    shapes(g, {0: 2.0}, lambda x: np.maximum(x, 0) + np.minimum(0, 2 * np.expm1(x / 2)), tag="alpha2_")
    g.write()

    g = Golden("SELU")
    shapes(g, {}, lambda x: c32(1.050700987) * np.where(x < 0, c32(1.67326324) * np.expm1(x), x))
    shapes(g, {0: 1.25, 1: 0.75}, lambda x: 0.75 * np.where(x < 0, 1.25 * np.expm1(x), x), tag="other_")
    g.write()

    wide = f32([-100, -88, -30, -10, -1, -0.0, 0, 1e-3, 1, 10, 30, 88, 100])
    for layer, fn in (("Sigmoid", sigmoid), ("TanH", np.tanh), ("Swish", lambda x: x * sigmoid(x)), ("Mish", mish),
                      ("Softplus", softplus), ("BNLL", softplus), ("AbsVal", np.abs), ("Erf", erf)):
        g = Golden(layer)
        shapes(g, {}, fn)
        x = wide if layer != "Softplus" else wide[:-2]
        g.one("wide_range", {}, x, fn(f64(x)), note="far ends must saturate, not overflow" if layer != "Softplus" else None)
        g.write()

    g = Golden("HardSigmoid")
    g.one("hand", {}, f32([-3, -2.5, 0, 1, 2.5, 3]), f32([0, 0, 0.5, 0.7, 1, 1]), note="defaults alpha 0.2, beta 0.5")
    shapes(g, {}, lambda x: np.clip(c32(0.2) * x + 0.5, 0, 1))
    shapes(g, {0: 1 / 6.0, 1: 0.5}, lambda x: np.clip(c32(1 / 6.0) * x + 0.5, 0, 1), tag="sixth_")
    shapes(g, {0: 0.5, 1: 0.25}, lambda x: np.clip(0.5 * x + 0.25, 0, 1), tag="other_", ranks=(3,))
    g.write()

    g = Golden("HardSwish")
    g.one("hand", {}, f32([-3, -2.5, 0, 1, 2.5, 3]), f32([0, 0, 0, 0.7, 2.5, 3]), note="defaults alpha 0.2, beta 0.5")
    shapes(g, {}, lambda x: hardswish(x, 0.2, 0.5))
    shapes(g, {0: 1 / 6.0, 1: 0.5}, lambda x: hardswish(x, 1 / 6.0, 0.5), tag="sixth_")
    shapes(g, {0: 0.5, 1: 0.25}, lambda x: hardswish(x, 0.5, 0.25), tag="other_", ranks=(3,))
    g.write()

    g = Golden("GELU")
    shapes(g, {}, lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))), tag="erf_")
    shapes(g, {0: 1}, lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))), tag="fast_")
    g.write()

    g = Golden("Threshold")
    g.one("hand", {0: 1.0}, f32([0, 1, 1.5, -3]), f32([0, 0, 1, 0]), note="1 when strictly above")
    shapes(g, {}, lambda x: (x > 0) * 1.0)
    shapes(g, {0: 0.5}, lambda x: (x > 0.5) * 1.0, tag="half_", ranks=(1, 3))
    g.write()

    g = Golden("Dropout")
    shapes(g, {}, lambda x: x, tag="default_")
    shapes(g, {0: 0.75}, lambda x: x * 0.75, tag="scale_")
    g.write()

    g = Golden("Shrink")
    shapes(g, {}, lambda x: np.where(x < -0.5, x, np.where(x > 0.5, x, 0)), ranks=(1, 3))
    shapes(g, {0: 0.25, 1: 1.5}, lambda x: np.where(x < -1.5, x + 0.25, np.where(x > 1.5, x - 0.25, 0)), tag="bias_", ranks=(1, 3))
    g.write()

    g = Golden("Power", 1e-5, 2e-5)
    shapes(g, {}, lambda x: x, tag="identity_", ranks=(1, 3))
    shapes(g, {0: 2.0, 1: 0.5, 2: 1.0}, lambda x: (1 + 0.5 * x) ** 2)
    shapes(g, {1: 2.0, 2: -1.5}, lambda x: 2 * x - 1.5, tag="affine_", ranks=(3,))
    shapes(g, {0: -0.5, 2: 0.25}, lambda x: (0.25 + x) ** -0.5, tag="rsqrt_", lo=0, ranks=(3,))
    shapes(g, {0: 3.0}, lambda x: x ** 3, tag="cube_of_negative_", ranks=(3,))
    g.write()

    g = Golden("Exp", 1e-5, 2e-5)
    shapes(g, {}, np.exp, tag="base_e_")
    shapes(g, {1: 0.5, 2: -0.25}, lambda x: np.exp(-0.25 + 0.5 * x), tag="affine_", ranks=(1, 3))
    shapes(g, {0: 2.0, 1: 0.5, 2: 1.0}, lambda x: 2 ** (1 + 0.5 * x), tag="base_2_", ranks=(1, 3))
    g.write()

    g = Golden("Log", 1e-5, 2e-5)
    shapes(g, {}, np.log, tag="base_e_", lo=0.125, hi=6)
    shapes(g, {1: 0.5, 2: 0.25}, lambda x: np.log(0.25 + 0.5 * x), tag="affine_", lo=0, hi=6, ranks=(1, 3))
    shapes(g, {0: 2.0, 1: 0.5, 2: 1.0}, lambda x: np.log2(1 + 0.5 * x), tag="base_2_", lo=0, hi=6, ranks=(1, 3))
    shapes(g, {0: 10.0}, np.log10, tag="base_10_", lo=0.125, hi=6, ranks=(3,))
    g.write()


def unary():
    g = Golden("UnaryOp", 2e-5, 2e-5)
    ops = ["abs", "neg", "floor", "ceil", "square", "sqrt", "rsqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan",
           "reciprocal", "tanh", "log10", "round", "trunc"]
    fn = {"neg": np.negative, "rsqrt": lambda x: 1 / np.sqrt(x), "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
          "reciprocal": lambda x: 1 / x, "round": np.rint, "abs": np.abs}
    rng = {"sqrt": (0, 5), "rsqrt": (0.25, 5), "log": (0.125, 5), "log10": (0.125, 5), "asin": (-1, 1), "acos": (-1, 1),
           "tan": (-1.25, 1.25), "reciprocal": (0.25, 4)}
    for i, op in enumerate(ops):
        f = fn.get(op) or getattr(np, op)
        lo, hi = rng.get(op, (-4, 4))
        shapes(g, {0: i}, f, tag=op + "_", lo=lo, hi=hi, ranks=(1, 3) if i else (1, 2, 3, 4))
    x = f32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -2.4, 2.6, 0, 7, -8, 3.5])
    g.one("round_half_to_even", {0: 18}, x, np.rint(x), note="halves go to the even neighbour")
    x = f32([-2.5, -1.0, -0.25, 0.0, 0.25, 1.0, 2.75, -7.999])
    g.one("floor_of_negative", {0: 2}, x, np.floor(x))
    g.one("ceil_of_negative", {0: 3}, x, np.ceil(x))
    g.one("trunc_of_negative", {0: 19}, x, np.trunc(x))
    g.write()


if __name__ == "__main__":
    simple()
    unary()
