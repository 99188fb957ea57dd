"""Developer tool: runs every golden case through the ncnn Python bindings and compares.

usage: check_with_ncnn.py [-v] [LayerType ...]      (needs the packages ncnn and numpy)
Each case runs in a child process, so that a crash is one failed case. Two configurations are tried:
plain (no packed layouts) and packed (ncnn's defaults without half precision).
"""
import base64
import glob
import json
import os
import pickle
import signal
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def array(b):
    return np.frombuffer(base64.b64decode(b["data"]), dtype="<f4").reshape(b["shape"]).copy()


def run(case, packed):
    import ncnn
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.use_winograd_convolution = False  # its rounding is coarser than the tolerances here
    if not packed:
        net.opt.use_packing_layout = False
        net.opt.use_sgemm_convolution = False
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/n.param", "w") as f:
            f.write(case["param"])
        with open(d + "/n.bin", "wb") as f:
            f.write(base64.b64decode(case["bin"]))
        if net.load_param(d + "/n.param") != 0:
            return "load_param failed"
        if net.load_model(d + "/n.bin") != 0:
            return "load_model failed"
    ex = net.create_extractor()
    for b in case["inputs"]:
        a = array(b)
        ex.input(b["blob"], ncnn.Mat(a).clone())
    outs = []
    for b in case["outputs"]:
        ret, m = ex.extract(b["blob"])
        if ret != 0:
            return "extract failed: %d" % ret
        if m.dims == 0:
            return "empty output"
        outs.append(np.array(m).copy() if m.elemsize == 4 * m.elempack else "elemsize %d" % m.elemsize)
    return outs


def run_in_child(case, packed):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        null = os.open(os.devnull, os.O_WRONLY)
        if "-v" not in sys.argv:
            os.dup2(null, 2)
        signal.alarm(30)
        try:
            result = run(case, packed)
        except BaseException as e:
            result = "exception %r" % e
        with os.fdopen(w, "wb") as f:
            f.write(pickle.dumps(result))
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        data = f.read()
    _, status = os.waitpid(pid, 0)
    return pickle.loads(data) if data else "died with status %d" % status


def compare(case, outs):
    if isinstance(outs, str):
        return outs
    for b, got in zip(case["outputs"], outs):
        want = array(b)
        if isinstance(got, str):
            return got
        if tuple(got.shape) != tuple(want.shape):
            return "%s: shape %s, expected %s" % (b["blob"], got.shape, want.shape)
        w = want.astype(np.float64)
        g = got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            bad = ~((np.abs(g - w) <= case["abs_tol"] + case["rel_tol"] * np.abs(w)) | (g == w))
        if bad.any():
            i = int(np.argmax(bad.ravel()))
            return "%s: %d of %d differ, first at %d: got %r expected %r" % (
                b["blob"], int(bad.sum()), bad.size, i, float(g.ravel()[i]), float(w.ravel()[i]))
    return None


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    paths = [os.path.join(HERE, n + ".json") for n in names] or sorted(glob.glob(os.path.join(HERE, "*.json")))
    total = failed = excluded = 0
    for path in paths:
        with open(path) as f:
            doc = json.load(f)
        bad = 0
        for case in doc["cases"]:
            total += 1
            messages = []
            for packed in (False, True):
                m = compare(case, run_in_child(case, packed))
                if m:
                    messages.append("%s: %s" % ("packed" if packed else "plain", m))
            if messages:
                known = "differs from ncnn" in case.get("note", "")
                excluded += known
                bad += not known
                print("%s %s/%s\n    %s" % ("KNOWN" if known else "FAIL ", doc["layer"], case["name"], "\n    ".join(messages)))
        failed += bad
        print("%-28s %3d cases, %d disagree" % (doc["layer"], len(doc["cases"]), bad))
    print("%d cases, %d disagree, %d known differences" % (total, failed, excluded))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
