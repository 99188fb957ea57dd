"""What the end-to-end tests of the commands share. Each script: python3 tests/road/NAME_test.py --bin build/bin [SUITE]"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "demo"
DATA = pathlib.Path(os.environ.get("FW_DATA", ROOT.parent / "shared"))
BIN = pathlib.Path(sys.argv[sys.argv.index("--bin") + 1]).resolve() if "--bin" in sys.argv else ROOT / "build" / "bin"


def read_npy(path):
    """float32 C-order array as (shape, values)."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + length].decode())  # a dict literal, written by numpy or fw
    assert header["descr"] == "<f4" and not header["fortran_order"]
    body = data[10 + length:]
    return header["shape"], struct.unpack(f"<{len(body) // 4}f", body)


class Road(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fw_road_"))
        self.addCleanup(shutil.rmtree, self.dir)

    def run_tool(self, tool, *args, expect=0, env=None):
        done = subprocess.run([BIN / tool, *map(str, args)], capture_output=True, text=True, timeout=240, cwd=self.dir,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, expect, f"{tool} {args}\n{done.stdout}\n{done.stderr}")
        if expect != 0:
            lines = done.stderr.splitlines()
            self.assertTrue(any(line.startswith("error:") for line in lines), done.stderr)
            for line in lines:
                self.assertRegex(line, "^(error|warning|note):", done.stderr)
        return done

    def convert(self, prototxt, caffemodel, *options):
        self.run_tool("caffe2fw", prototxt, caffemodel, "net.param", "net.bin", *options)

    def evaluate(self, table, *args):
        self.run_tool("fweval", "net.param", "net.bin", "--table", table, "--json", "eval.json", *args)
        return json.loads((self.dir / "eval.json").read_text())


class DemoNetworks(Road):
    """Converts the embedded networks."""
    IMAGE = DEMO / "classifier" / "test" / "00_R.png"

    def convert_demo(self, net):
        folder = DEMO / net
        self.convert(folder / "deploy.prototxt", folder / "net.caffemodel", *(folder / "preprocess.txt").read_text().split())
        return folder
