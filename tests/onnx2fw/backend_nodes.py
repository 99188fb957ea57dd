#!/usr/bin/env python3
"""Runs the onnx package's node tests of supported operators through onnx2fw and fwrun.

Usage: backend_nodes.py BIN_DIR [FILTER]      (needs the packages onnx and numpy)

The first float input is the network's input, the others become initializers. Prints every test that was refused or gave
another result, and the counts. Exit 1 if a program crashed or a result was wrong.
"""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests


def supported_ops():
    table = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "onnx2fw", "op_table.cpp")
    with open(table, encoding="utf-8") as file:
        return set(re.findall(r'^    \{"(\w+)", (?!convert_known_only)', file.read(), re.M))


def input_shape(param):
    """Extents of the Input layer of a .param file, outermost first."""
    for line in open(param, encoding="utf-8"):
        fields = line.split()
        if fields and fields[0] == "Input":
            keys = dict(f.split("=") for f in fields[5:])
            return [int(keys[k]) for k in ("2", "11", "1", "0") if k in keys]
    return []


class Outcome(Exception):
    """kind: passed, refused, wrong, crashed or not applicable."""

    def __init__(self, kind, why=""):
        super().__init__(why)
        self.kind = kind


def call(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        raise Outcome("crashed", "takes over 60 s") from None
    if done.returncode not in (0, 1, 2):
        raise Outcome("crashed", "%s: exit %d" % (os.path.basename(command[0]), done.returncode))
    return done


def run_case(binaries, case, work):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    names = [i.name for i in model.graph.input]
    inputs, outputs = case.data_sets[0]
    if not all(isinstance(v, np.ndarray) or np.isscalar(v) for v in list(inputs) + list(outputs)):
        raise Outcome("not applicable", "sequences")
    inputs, outputs = [np.asarray(v) for v in inputs], [np.asarray(v) for v in outputs]
    fed = next((k for k, v in enumerate(inputs) if v.dtype == np.float32 and v.size > 0), None)
    if fed is None:
        raise Outcome("not applicable", "no float input")
    for k, name in enumerate(names):
        if k != fed:
            model.graph.initializer.append(numpy_helper.from_array(inputs[k], name))
    paths = {s: os.path.join(work, "net." + s) for s in ("onnx", "param", "bin")}
    onnx.save(model, paths["onnx"])
    shape = ["--input-shape", "%s:%s" % (names[fed], ",".join(map(str, inputs[fed].shape)))] if inputs[fed].ndim else []
    done = call([os.path.join(binaries, "onnx2fw"), paths["onnx"], paths["param"], paths["bin"], "--quiet"] + shape)
    if done.returncode != 0:
        raise Outcome("refused", done.stderr.strip().split("\n")[-1])
    blob = os.path.join(work, "x.npy")
    np.save(blob, inputs[fed].reshape(input_shape(paths["param"])))
    for output, want in zip(model.graph.output, outputs):
        dump = os.path.join(work, "y.npy")
        done = call([os.path.join(binaries, "fwrun"), paths["param"], paths["bin"], "--input", blob, "--output",
                     output.name, "--dump", dump, "--quiet"])
        if done.returncode != 0:
            raise Outcome("wrong", done.stderr.strip().split("\n")[-1])
        got = np.load(dump)
        if [d for d in got.shape if d != 1] != [d for d in want.shape if d != 1]:
            raise Outcome("wrong", "shape %s, expected %s" % (got.shape, want.shape))
        if not np.allclose(got.reshape(-1), want.reshape(-1).astype(np.float32), rtol=1e-3, atol=1e-4, equal_nan=True):
            raise Outcome("wrong", "differs by %g" % np.nanmax(np.abs(got.reshape(-1) - want.reshape(-1))))
    raise Outcome("passed")


def main():
    if len(sys.argv) < 2:
        print("error: usage: backend_nodes.py BIN_DIR [FILTER]", file=sys.stderr)
        return 2
    ops = supported_ops()
    counts = {}
    for case in load_model_tests(kind="node"):
        if len(sys.argv) > 2 and sys.argv[2] not in case.name:
            continue
        used = {(n.domain, n.op_type) for n in case.model.graph.node}
        if any(domain not in ("", "ai.onnx") or op not in ops for domain, op in used):
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                run_case(sys.argv[1], case, work)
            except Outcome as outcome:
                counts[outcome.kind] = counts.get(outcome.kind, 0) + 1
                if outcome.kind not in ("passed", "not applicable"):
                    print("%-8s %s: %s" % (outcome.kind, case.name, outcome))
    print(", ".join("%s %d" % item for item in sorted(counts.items())))
    return 1 if counts.get("wrong") or counts.get("crashed") else 0


if __name__ == "__main__":
    sys.exit(main())
