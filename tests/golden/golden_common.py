"""Shared helpers of the golden test vectors.

A golden file holds small nets in ncnn's text/binary format, their inputs and the outputs that a correct
engine gives. Expected values are computed here in float64 with numpy and rounded to float32 once.
Everything is deterministic: random data come from integer draws of a seeded generator.
"""
import base64
import json
import os
import struct
import zlib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MAGIC = 7767517
FLAG_FP16 = 0x01306B47
FLAG_INT8 = 0x000D4B38


class Random:
    """Random multiples of 1/64: exact in float32, and sums of their products are exact in float64."""

    def __init__(self, name):
        self.state = np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)

    def data(self, *shape, lo=-2.0, hi=2.0):
        return (self.state.randint(int(lo * 64), int(hi * 64) + 1, size=shape) / 64.0).astype(np.float32)

    def distinct(self, *shape, step=0.125):
        """All values different (for max, sort and selection layers)."""
        n = int(np.prod(shape))
        order = self.state.permutation(n) - n // 2
        return (order * step).astype(np.float32).reshape(shape)

    def ints(self, lo, hi, *shape):
        return self.state.randint(lo, hi, size=shape)


def f32(x):
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(np.asarray(x), dtype=np.float32)


def f64(x):
    return np.asarray(x, dtype=np.float64)


def number(v):
    if isinstance(v, (bool, np.bool_)):
        return str(int(v))
    if isinstance(v, (int, np.integer)):
        return str(int(v))
    return "%e" % v if float("%e" % v) == float(np.float32(v)) or abs(v) > 1e37 else "%.9e" % v


def param_text(params):
    """{0: 8, 10: [0.1, 2.0]} -> '0=8 -23310=2,1.000000e-01,2.000000e+00'"""
    out = []
    for key, value in params.items():
        if isinstance(value, (list, tuple)):
            out.append("%d=%d%s" % (-23300 - key, len(value), "".join("," + number(v) for v in value)))
        else:
            out.append("%d=%s" % (key, number(value)))
    return " ".join(out)


def net_text(lines):
    """lines: [(type, name, [bottoms], [tops], params or text)]"""
    blobs = []
    body = []
    for kind, name, bottoms, tops, params in lines:
        for t in tops:
            if t not in blobs:
                blobs.append(t)
        extra = params if isinstance(params, str) else param_text(params)
        body.append(" ".join(["%-16s" % kind, "%-8s" % name, "%d" % len(bottoms), "%d" % len(tops)]
                             + list(bottoms) + list(tops) + ([extra] if extra else [])))
    return "%d\n%d %d\n%s\n" % (MAGIC, len(lines), len(blobs), "\n".join(body))


# ---- .bin pieces -------------------------------------------------------------------------------

def pad4(b):
    return b + b"\0" * (-len(b) % 4)


def raw(x):
    """A blob read raw: float32 without a tag."""
    return f32(x).tobytes()


def flagged(x):
    """A blob read with a flag: tag 0, then float32."""
    return struct.pack("<I", 0) + f32(x).tobytes()


def flagged_fp16(x):
    return pad4(struct.pack("<I", FLAG_FP16) + np.asarray(x, dtype="<f2").tobytes())


def flagged_codebook(table, index):
    table = f32(table)
    assert table.size == 256
    return pad4(struct.pack("<I", 0x01000000) + table.tobytes() + np.asarray(index, dtype=np.uint8).tobytes())


def flagged_int8(x):
    return pad4(struct.pack("<I", FLAG_INT8) + np.asarray(x, dtype=np.int8).tobytes())


# ---- files ---------------------------------------------------------------------------------------

def blob(name, array):
    a = f32(array)
    return {"blob": name, "shape": [int(n) for n in a.shape], "data": base64.b64encode(a.astype("<f4").tobytes()).decode()}


class Golden:
    """Collects the cases of one layer type and writes <LayerType>.json."""

    def __init__(self, layer, abs_tol=1e-5, rel_tol=1e-5):
        self.layer = layer
        self.abs_tol = abs_tol
        self.rel_tol = rel_tol
        self.cases = []
        self.rng = Random(layer)

    def net(self, name, lines, inputs, outputs, weights=b"", note=None, abs_tol=None, rel_tol=None):
        """inputs, outputs: {blob name: array}; Input layers are added here."""
        assert all(c["name"] != name for c in self.cases), (self.layer, name)
        assert len(weights) % 4 == 0, (self.layer, name)
        for k, v in outputs.items():
            assert not np.isnan(f64(v)).any(), (self.layer, name, k)
        head = [("Input", b, [], [b], {}) for b in inputs]
        case = {
            "name": name,
            "param": net_text(head + lines),
            "bin": base64.b64encode(weights).decode(),
            "inputs": [blob(k, v) for k, v in inputs.items()],
            "outputs": [blob(k, v) for k, v in outputs.items()],
            "abs_tol": self.abs_tol if abs_tol is None else abs_tol,
            "rel_tol": self.rel_tol if rel_tol is None else rel_tol,
        }
        if note:
            case["note"] = note
        self.cases.append(case)

    def one(self, name, params, inputs, output, weights=b"", note=None, abs_tol=None, rel_tol=None):
        """The layer alone. inputs: an array or a list of arrays; output: an array or a list of arrays."""
        ins = inputs if isinstance(inputs, list) else [inputs]
        outs = output if isinstance(output, list) else [output]
        inames = ["in%d" % i for i in range(len(ins))]
        onames = ["out%d" % i for i in range(len(outs))]
        self.net(name, [(self.layer, "l", inames, onames, params)], dict(zip(inames, ins)), dict(zip(onames, outs)),
                 weights, note, abs_tol, rel_tol)

    def write(self):
        path = os.path.join(HERE, self.layer + ".json")
        text = ",\n".join(json.dumps(c, sort_keys=False) for c in self.cases)
        with open(path, "w", newline="\n") as f:
            f.write('{"layer": %s, "cases": [\n%s\n]}\n' % (json.dumps(self.layer), text))
        print("%-28s %3d cases %7d bytes" % (self.layer, len(self.cases), os.path.getsize(path)))


# ---- activations fused into weighted layers ------------------------------------------------------

def activation(x, kind, p=()):
    x = f64(x)
    if kind == 0:
        return x
    if kind == 1:
        return np.maximum(x, 0)
    if kind == 2:
        return np.where(x > 0, x, x * float(np.float32(p[0])))
    if kind == 3:
        return np.minimum(np.maximum(x, float(np.float32(p[0]))), float(np.float32(p[1])))
    if kind == 4:
        return sigmoid(x)
    if kind == 5:
        return mish(x)
    if kind == 6:
        return hardswish(x, p[0], p[1])
    raise ValueError(kind)


def sigmoid(x):
    x = f64(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softplus(x):
    x = f64(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def mish(x):
    return f64(x) * np.tanh(softplus(x))


def hardswish(x, alpha, beta):
    x = f64(x)
    alpha = float(np.float32(alpha))
    beta = float(np.float32(beta))
    return x * np.clip(alpha * x + beta, 0, 1)
