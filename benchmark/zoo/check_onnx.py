"""Checks exported networks against onnxruntime: python3 check_onnx.py DIR --fwrun build/bin/fwrun

DIR is what `zoo_export all --out DIR --onnx` wrote. Every NAME.onnx must satisfy the ONNX checker, and every output must
agree with fwrun's float result within 1e-4 of its largest magnitude. Needs numpy, onnx and onnxruntime.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4


def check(base, fwrun, work):
    """Largest difference over largest magnitude, of all outputs of one network."""
    with open(base + ".json") as f:
        info = json.load(f)
    onnx.checker.check_model(base + ".onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(base + ".onnx", options, providers=["CPUExecutionProvider"])
    shape = info["inputs"][0]["shape"]
    x = np.random.default_rng(7).uniform(-1, 1, shape).astype(np.float32)
    input_file, output_file = os.path.join(work, "input.npy"), os.path.join(work, "output.npy")
    np.save(input_file, x)
    worst = 0.0
    names = [o["name"] for o in info["outputs"]]
    for name, theirs in zip(names, session.run(names, {info["inputs"][0]["name"]: x[None]})):
        subprocess.run([fwrun, base + ".param", base + ".bin", "--input", input_file, "--output", name, "--dump", output_file],
                       check=True, stdout=subprocess.DEVNULL)
        ours = np.load(output_file)
        if ours.size != theirs.size:
            raise ValueError("%s: %s against %s" % (name, ours.shape, theirs.shape))
        worst = max(worst, float(np.abs(ours.reshape(-1) - theirs.reshape(-1)).max() / np.abs(theirs).max()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--fwrun", default="build/bin/fwrun")
    args = parser.parse_args()
    bases = sorted(f[:-5] for f in glob.glob(os.path.join(args.dir, "*.onnx")))
    if not bases:
        print("error: no .onnx files in %s" % args.dir, file=sys.stderr)
        return 2
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        for base in bases:
            try:
                worst = check(base, args.fwrun, work)
                verdict = "ok" if worst <= TOLERANCE else "DIFFERS"
                print("%-26s %.2e %s" % (os.path.basename(base), worst, verdict), flush=True)
            except Exception as error:  # a network that does not load is reported like one that differs
                verdict = "FAILED"
                print("%-26s %s: %s" % (os.path.basename(base), verdict, error), flush=True)
            failed += verdict != "ok"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
