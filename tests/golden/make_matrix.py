"""InnerProduct, Gemm, MatMul, Embed, MemoryData, Quantize, Dequantize, Cast."""
import numpy as np

from golden_common import Golden, activation, f32, f64, flagged, flagged_codebook, flagged_fp16, flagged_int8, raw


def inner_product():
    g = Golden("InnerProduct", 2e-5, 2e-5)
    g.one("hand", {0: 2, 1: 1, 2: 4}, f32([1, 2]), f32([1 + 4 + 0.5, 3 + 8 - 0.5]), flagged([1, 2, 3, 4]) + raw([0.5, -0.5]), "typed in: weights [out][in]")

    def case(name, shape, out, bias=True, act=0, actp=None, store="f32", by_row=False, note=None):
        x = g.rng.data(*shape)
        n = shape[-1] if by_row else x.size
        w = g.rng.data(out, n, lo=-1, hi=1)
        b = g.rng.data(out)
        blob = flagged(w)
        if store == "fp16":
            blob = flagged_fp16(w)
        if store == "codebook":
            table, index = g.rng.data(256), g.rng.ints(0, 256, w.size)
            w, blob = table[index].reshape(w.shape), flagged_codebook(table, index)
        y = (f64(x) if by_row else f64(x).reshape(1, -1)) @ f64(w).T + (f64(b) if bias else 0)
        y = activation(y if by_row else y[0], act, actp or ())
        p = {0: out, 1: int(bias), 2: w.size}
        if act:
            p[9] = act
            if actp:
                p[10] = list(actp)
        g.one(name, p, x, y, blob + (raw(b) if bias else b""), note)

    case("1d", (10,), 7)
    case("1d_c8", (16,), 8, bias=False)
    case("2d_flattened", (3, 4), 5, note="2-d whose w is not the number of inputs: flattened")
    case("3d_flattened", (3, 4, 5), 6, note="flattened in C,H,W order")
    case("3d_flattened_odd_plane", (5, 3, 3), 8)
    case("3d_flattened_c8", (8, 2, 3), 4)
    case("2d_by_row", (4, 6), 5, by_row=True, note="2-d whose w is the number of inputs: a matrix product, output [H, num_output]")
    case("2d_by_row_h8", (8, 6), 8, by_row=True, act=1)
    for act, p in ((1, None), (2, (0.125,)), (3, (-1.0, 1.5)), (4, None), (5, None), (6, (1 / 6.0, 0.5))):
        case("act%d" % act, (9,), 6, act=act, actp=p)
    x, bs = g.rng.data(12), g.rng.data(5)
    q, ws, xs = g.rng.ints(-127, 128, 5, 12), g.rng.data(5, lo=60, hi=200), f64(f32(64 / 3.0))  # x*64/3 is never near a tie
    y = (q @ np.clip(np.rint(f64(x) * xs), -127, 127)) / (f64(ws) * xs) + f64(bs)
    g.one("int8_model", {0: 5, 1: 1, 2: 60, 8: 2}, x, y, flagged_int8(q) + raw(bs) + raw(ws) + raw([xs]),
          "x is rounded to int8 with the stored scale; out = sum / (weight scale * input scale) + bias")
    case("weights_fp16", (7,), 3, store="fp16", note="21 fp16 weights: 2 bytes of padding before the bias")
    case("weights_codebook", (7,), 3, store="codebook")
    g.write()


def gemm():
    g = Golden("Gemm", 1e-5, 2e-5)
    m, n, k = 5, 6, 7

    def mk(r, c, t):
        v = g.rng.data(r, c)
        return v, (np.ascontiguousarray(v.T) if t else v)

    for ta in (0, 1):
        for tb in (0, 1):
            (a, sa), (b, sb) = mk(m, k, ta), mk(k, n, tb)
            y = f64(a) @ f64(b)
            t = "ta%d_tb%d" % (ta, tb)
            g.one(t, {2: ta, 3: tb}, [sa, sb], y)
            p = {2: ta, 3: tb, 6: 1, 7: m, 8: n, 9: k, 10: -1}
            g.one(t + "_const_a", {**p, 4: 1}, [sb], y, flagged(sa))
            g.one(t + "_const_b", {**p, 5: 1}, [sa], y, flagged(sb))
    cs = {0: (1,), 1: (m,), 2: (m, 1), 3: (m, n), 4: (1, n)}
    for kind, shape in cs.items():
        (a, sa), (b, sb) = mk(m, k, 0), mk(k, n, 1)
        c = g.rng.data(*shape)
        full = f64(c).reshape(m, 1) if kind == 1 else f64(c)
        y = 0.5 * (f64(a) @ f64(b) + -1.5 * np.broadcast_to(full, (m, n)))
        note = "out = alpha * (A*B + beta*C): alpha multiplies C as well"
        g.one("c_type%d_input" % kind, {0: 0.5, 1: -1.5, 2: 0, 3: 1}, [sa, sb, c], y, note=note)
        g.one("c_type%d_const" % kind, {0: 0.5, 1: -1.5, 2: 0, 3: 1, 5: 1, 6: 1, 7: m, 8: n, 9: k, 10: kind}, [sa], y, flagged(sb) + flagged(c), note)
        g.one("c_type%d_const_c_only" % kind, {0: 0.5, 1: -1.5, 2: 0, 3: 1, 6: 1, 7: m, 8: n, 9: k, 10: kind}, [sa, sb], y, flagged(c), note)
    (a, sa), (b, sb), c = mk(m, k, 0), mk(k, n, 0), g.rng.data(n)
    g.one("c_1d_n_input", {}, [sa, sb, c], f64(a) @ f64(b) + f64(c), note="1-d C of length N")
    g.one("output_transpose", {14: 1}, [sa, sb], (f64(a) @ f64(b)).T)
    g.one("output_n1m", {11: 1}, [sa, sb], (f64(a) @ f64(b)).reshape(m, 1, n), note="output [M,1,N]")
    g.one("alpha", {0: 0.25}, [sa, sb], 0.25 * (f64(a) @ f64(b)))
    (a, sa), (b, sb) = mk(8, 16, 0), mk(16, 8, 1)
    c = g.rng.data(8)
    g.one("linear_layer", {3: 1, 5: 1, 6: 1, 7: 0, 8: 8, 9: 16, 10: 4}, [sa], f64(a) @ f64(b) + f64(c), flagged(sb) + flagged(c),
          "torch's Linear: constant transposed B, C over N, M free")
    g.write()


def matmul():
    g = Golden("MatMul", 1e-5, 2e-5)
    for sa, sb in (((6,), (6,)), ((4, 6), (6, 5)), ((6,), (6, 5)), ((4, 6), (6,)), ((3, 4, 6), (3, 6, 5)), ((3, 4, 6), (6, 5)), ((4, 6), (3, 6, 5)),
                   ((3, 4, 6), (6,)), ((6,), (3, 6, 5)), ((1, 4, 6), (3, 6, 5)), ((2, 3, 4, 6), (2, 3, 6, 5)), ((2, 1, 4, 6), (2, 3, 6, 5)),
                   ((2, 3, 4, 6), (1, 3, 6, 5)), ((8, 4, 4), (8, 4, 8))):
        a, b = g.rng.data(*sa), g.rng.data(*sb)
        y = np.matmul(f64(a), f64(b))
        y = y.reshape(1) if y.ndim == 0 else y
        t = "x".join(map(str, sa)) + "_" + "x".join(map(str, sb))
        g.one(t, {}, [a, b], y)
        if b.ndim > 1:
            g.one(t + "_transB", {0: 1}, [a, np.ascontiguousarray(np.swapaxes(b, -1, -2))], y)
    g.write()


def multi_head_attention():
    g = Golden("MultiHeadAttention", 2e-5, 2e-5)

    def attend(x, mask, scale, q, k, v):
        heads, rows, width = q.shape
        scores = (1 / np.sqrt(width) if scale is None else scale) * q @ k.transpose(0, 2, 1)
        if mask:
            m = g.rng.data(*((heads,) if mask == 3 else ()), rows, k.shape[1])
            x.append(m)
            scores = scores + f64(m)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return (e / e.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(rows, heads * width)

    def case(name, embed, heads, rows, keys=None, dims=None, same_value=False, mask=None, scale=None):
        qd, kd, vd = dims or (embed, embed, embed)
        x = [g.rng.data(rows, qd)]
        if keys:
            x.append(g.rng.data(keys, kd))
            if not same_value:
                x.append(g.rng.data(keys, vd))
        q, k, v = (f64(x[min(i, len(x) - 1)]) for i in range(3))
        w = [g.rng.data(o, i, lo=-0.5, hi=0.5) for o, i in ((embed, qd), (embed, kd), (embed, vd), (qd, embed))]
        b = [g.rng.data(o) for o in (embed, embed, embed, qd)]

        def heads_of(rows_in, i):
            return (rows_in @ f64(w[i]).T + f64(b[i])).reshape(len(rows_in), heads, -1).transpose(1, 0, 2)

        o = attend(x, mask, scale, heads_of(q, 0), heads_of(k, 1), heads_of(v, 2))
        p = {0: embed, 1: heads, 2: embed * qd}
        if (kd, vd) != (embed, embed):
            p.update({3: kd, 4: vd})
        if mask:
            p[5] = 1
        if scale is not None:
            p[6] = scale
        g.one(name, p, x, o @ f64(w[3]).T + f64(b[3]), b"".join(flagged(w[i]) + raw(b[i]) for i in range(4)))

    case("one_head", 4, 1, 3)
    case("self", 12, 3, 5)
    case("one_row", 8, 2, 1)
    case("key_is_value", 8, 2, 5, keys=7, same_value=True)
    case("cross", 8, 4, 3, keys=6, dims=(10, 6, 7))
    case("scale", 6, 2, 4, scale=0.25)
    case("mask", 6, 2, 4, mask=2)
    case("mask_by_head", 6, 2, 4, keys=5, mask=3)
    case("mask_cross", 6, 3, 2, keys=3, dims=(5, 4, 3), mask=2)

    def without_weights(name, embed, heads, rows, keys=None, same_value=False, mask=None, scale=None):
        x = [g.rng.data(n, embed, lo=-2, hi=2) for n in [rows] + ([keys] * (1 if same_value else 2) if keys else [])]
        q, k, v = (f64(x[min(i, len(x) - 1)]).reshape(-1, heads, embed // heads).transpose(1, 0, 2) for i in range(3))
        p = {0: embed, 1: heads}
        if mask:
            p[5] = 1
        if scale is not None:
            p[6] = scale
        y = attend(x, mask, scale, q, k, v)
        g.one(name, p, x, y, note="differs from ncnn: it has no attention without projections of rows as they lie")

    without_weights("no_weights_one_head", 5, 1, 3)
    without_weights("no_weights_cross", 12, 3, 5, keys=7)
    without_weights("no_weights_key_is_value", 8, 2, 3, keys=4, same_value=True)
    without_weights("no_weights_scale", 32, 2, 4, keys=4, scale=0.25)
    without_weights("no_weights_mask_by_head", 6, 2, 4, keys=5, mask=3)
    without_weights("no_weights_mask_scale_one", 6, 3, 2, keys=3, mask=2, scale=1.0)
    g.write()


def embed():
    g = Golden("Embed")
    for bias in (0, 1):
        idx = np.array([3, 0, 6, 3, 5], dtype=np.int32)
        w, b = g.rng.data(7, 4), g.rng.data(4)
        g.one("bias%d" % bias, {0: 4, 1: 7, 2: bias, 3: 28}, idx.view(np.float32), f64(w)[idx] + bias * f64(b),
              flagged(w) + (raw(b) if bias else b""), "the input holds int32 indexes: their bits are stored in the float32 data")
    idx = np.array([-2, 9, 1], dtype=np.int32)
    w = g.rng.data(7, 3)
    g.one("out_of_range", {0: 3, 1: 7, 3: 21}, idx.view(np.float32), w[[0, 6, 1]], flagged(w), "int32 bits; an index outside is clamped")
    g.write()


def memory_data():
    g = Golden("MemoryData", 0, 0)
    for name, shape, p in (("1d", (5,), {0: 5}), ("2d", (3, 4), {0: 4, 1: 3}), ("3d", (3, 3, 5), {0: 5, 1: 3, 2: 3}), ("4d", (2, 3, 2, 5), {0: 5, 1: 2, 11: 3, 2: 2})):
        x = g.rng.data(*shape)
        g.net(name, [("MemoryData", "m", [], ["out0"], p)], {}, {"out0": x}, raw(x), "raw blob, no tag")
        g.net(name + "_flagged", [("MemoryData", "m", [], ["out0"], {**p, 21: 0})], {}, {"out0": x}, flagged(x), "load_type 0: the blob has a tag")
    x, d = g.rng.data(4, 3, 5), g.rng.data(4)
    g.net("added_to_input", [("MemoryData", "m", [], ["c"], {0: 4}), ("BinaryOp", "b", ["in0", "c"], ["out0"], {0: 2})], {"in0": x},
          {"out0": x * d.reshape(4, 1, 1)}, raw(d))
    g.write()


def quantize():
    g = Golden("Quantize", 1e-6, 1e-6)

    def away_from_ties(x, s):
        q = f64(x) * f64(s)
        return f32(np.where(np.abs(np.abs(q - np.floor(q)) - 0.5) < 0.05, f64(x) + 0.2 / f64(s), x))

    for shape in ((9,), (4, 5), (3, 4, 5), (8, 3, 3)):
        for per in (0, 1) if len(shape) > 1 else (0,):
            c = shape[0]
            s = (g.rng.data(c, lo=20, hi=60) if per else f32([37.25]))
            sb = f64(s).reshape((-1,) + (1,) * (len(shape) - 1)) if per else f64(s)[0]
            x = away_from_ties(g.rng.data(*shape, lo=-5, hi=5), sb)
            q = np.clip(np.rint(f64(x) * sb), -127, 127)
            g.net("round_trip_%s_%s" % ("x".join(map(str, shape)), "per_channel" if per else "one"),
                  [("Quantize", "q", ["in0"], ["q"], {0: s.size}), ("Dequantize", "d", ["q"], ["out0"], {0: s.size})], {"in0": x},
                  {"out0": q / sb}, raw(s) + raw(1 / f64(s)),
                  "Quantize: clamp(round(x*scale), -127, 127); Dequantize: q*scale (its scale is the inverse). differs from ncnn: there Dequantize reads only int32")
    g.write()

    g = Golden("Dequantize", 1e-6, 1e-6)
    for shape in ((9,), (4, 5), (3, 4, 5), (8, 3, 3)):
        for per in (0, 1) if len(shape) > 1 else (0,):
            c = shape[0]
            n = c if per else 1
            q = g.rng.ints(-30000, 30000, *shape).astype(np.int32)
            s, b = g.rng.data(n, lo=0.25, hi=2), g.rng.data(n)
            view = (-1,) + (1,) * (len(shape) - 1)
            sb, bb = f64(s).reshape(view), f64(b).reshape(view)
            t = "x".join(map(str, shape)) + ("_per_channel" if per else "_one")
            note = "the input holds int32 values: their bits are stored in the float32 data. out = q*scale + bias"
            g.one(t, {0: n}, q.view(np.float32), q * sb, raw(s), note)
            g.one(t + "_bias", {0: n, 1: n}, q.view(np.float32), q * sb + bb, raw(s) + raw(b), note)
    g.write()

    g = Golden("Cast", 0, 0)
    for shape in ((9,), (3, 5), (3, 4, 5), (8, 3, 3)):
        x = f32(g.rng.data(*shape) * np.float32(1.2345))
        t = "x".join(map(str, shape))
        g.net("fp16_round_trip_" + t, [("Cast", "a", ["in0"], ["h"], {0: 1, 1: 2}), ("Cast", "b", ["h"], ["out0"], {0: 2, 1: 1})], {"in0": x},
              {"out0": f32(x.astype(np.float16))}, note="rounds to the nearest, half to even")
        x = f32((x.view(np.uint32) & 0xFFFF0000).view(np.float32))
        g.net("bf16_round_trip_" + t, [("Cast", "a", ["in0"], ["h"], {0: 1, 1: 4}), ("Cast", "b", ["h"], ["out0"], {0: 4, 1: 1})], {"in0": x}, {"out0": x},
              note="values that bfloat16 holds exactly")
    g.one("fp32_to_fp32", {0: 1, 1: 1}, x, x)
    g.write()


if __name__ == "__main__":
    inner_product()
    gemm()
    matmul()
    multi_head_attention()
    embed()
    memory_data()
    quantize()
