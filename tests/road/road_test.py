#!/usr/bin/env python3
"""End-to-end tests of the commands: python3 tests/road/road_test.py --bin build/bin [SUITE]

DemoRoad: the embedded networks. Usage: exit codes and messages. RealRoad: networks under FW_DATA (skipped, 77, without it).
"""
import csv
import json
import os
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import suites  # noqa: E402

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


class DemoRoad(Road):
    IMAGE = DEMO / "classifier" / "test" / "00_R.png"

    def convert_demo(self, net):
        folder = DEMO / net
        self.convert(folder / "deploy.prototxt", folder / "net.caffemodel", *(folder / "preprocess.txt").read_text().split())
        return folder

    def test_classifier(self):
        folder = self.convert_demo("classifier")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "net.table")
        result = self.evaluate("net.table", "--images", folder / "test", "--labels", folder / "test" / "test.txt")
        self.assertGreaterEqual(result["float"]["top1"], 95.0)
        self.assertGreaterEqual(result["int8"]["top1"], result["float"]["top1"] - 3.0)
        self.assertGreaterEqual(result["agreement"], 93.0)
        self.assertGreater(result["sqnr_db"], 15.0)

    def test_detector(self):
        folder = self.convert_demo("detector")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "net.table")
        result = self.evaluate("net.table", "--task", "detect", "--images", folder / "test", "--labels", folder / "test" / "test.json")
        self.assertGreaterEqual(result["float"]["map50"], 80.0)
        self.assertGreaterEqual(result["int8"]["map50"], result["float"]["map50"] - 2.0)
        shutil.copy(folder / "labels.txt", self.dir)
        out = self.run_tool("ssd", folder / "test" / "00.png", self.dir, "--out", "boxes.png")
        self.assertIn("objects", out.stdout)
        self.assertEqual((self.dir / "boxes.png").read_bytes()[:4], b"\x89PNG")

    def test_expected_outputs(self):
        for net, blobs in (("classifier", ["prob"]), ("detector", ["mbox_loc", "mbox_conf_flatten"])):
            folder = self.convert_demo(net)
            for blob in blobs:
                expected = sorted((folder / "expected").glob(f"*.{blob}.npy"))
                self.assertEqual(len(expected), 3)
                for file in expected:
                    image = folder / "test" / file.name.replace(f".{blob}.npy", ".png")
                    self.run_tool("fwrun", "net.param", "net.bin", image, "--output", blob, "--dump", "out.npy")
                    self.run_tool("fwdiff", "out.npy", file, "--tol", "1e-4")

    def test_table_does_not_depend_on_threads(self):
        folder = self.convert_demo("classifier")
        for threads in (1, 2, 5):
            self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", f"{threads}.table", "--threads", threads)
        self.assertEqual((self.dir / "1.table").read_bytes(), (self.dir / "2.table").read_bytes())
        self.assertEqual((self.dir / "1.table").read_bytes(), (self.dir / "5.table").read_bytes())

    def test_statistics_in_parts_give_the_same_table(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        for method in ("kl", "moving-minmax"):
            self.run_tool("calibrate", *args, "--method", method, "--threads", "8", "--out", "whole.table")
            for part in "123":
                (self.dir / f"{part}.stats").unlink(missing_ok=True)
                self.run_tool("calibrate", *args, "--part", f"{part}/3", "--threads", part, "--collect-only", f"{part}.stats")
            self.run_tool("calibrate", "net.param", "net.bin", "--merge", "1.stats", "2.stats", "3.stats", "--method", method, "--out",
                          "merged.table")
            self.assertEqual((self.dir / "whole.table").read_bytes(), (self.dir / "merged.table").read_bytes())
        merge = ("calibrate", "net.param", "net.bin", "--out", "no.table", "--merge")
        self.run_tool(*merge, "1.stats", "2.stats", "3.stats", "--pixel", "RGB", expect=2)
        self.assertIn("same images", self.run_tool(*merge, "1.stats", "1.stats", expect=1).stderr)
        self.assertIn("complete already", self.run_tool("calibrate", *args, "--part", "1/3", "--collect-only", "1.stats", expect=1).stderr)
        self.assertIn("another list", self.run_tool("calibrate", *args, "--part", "2/3", "--collect-only", "1.stats", expect=1).stderr)
        cropped = (*args, "--fit", "crop", "--part", "1/3", "--collect-only", "1.stats")
        self.assertIn("another --fit", self.run_tool("calibrate", *cropped, expect=1).stderr)
        self.convert_demo("detector")
        self.assertIn("was made with model", self.run_tool(*merge, "1.stats", "2.stats", expect=1).stderr)
        for bad in (("--part", "0/3"), ("--part", "4/3"), ("--part", "1/3x"), ("--merge", "1.stats")):
            self.run_tool("calibrate", *args, *bad, "--collect-only", "x.stats", expect=2)
        self.assertFalse((self.dir / "no.table").exists())

    def test_int8_does_not_depend_on_threads_or_level(self):
        folder = self.convert_demo("classifier")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "net.table")
        flags = pathlib.Path("/proc/cpuinfo").read_text().split()
        levels = ["scalar"] + [level for level, flag in (("avx2", "avx2"), ("avx512vnni", "avx512_vnni")) if flag in flags]
        seen = set()
        for level in levels:
            for threads in (1, 3):
                self.run_tool("fwrun", "net.param", "net.bin", self.IMAGE, "--table", "net.table", "--precision", "int8", "--threads",
                              threads, "--dump", "out.npy", env={"FW_ISA": level})
                seen.add((self.dir / "out.npy").read_bytes())
        self.assertEqual(len(seen), 1)

    def test_accuracy_aware_tables(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        plain = self.run_tool("calibrate", *args, "--out", "plain.table")
        said = self.run_tool("calibrate", *args, "--max-drop", "100", "--out", "same.table").stdout
        self.assertIn("with all layers in int8: ", said)
        self.assertEqual((self.dir / "plain.table").read_bytes(), (self.dir / "same.table").read_bytes(), plain.stdout)
        self.run_tool("calibrate", *args, "--max-drop", "101", "--out", "x.table", expect=2)
        self.run_tool("calibrate", *args, "--max-drop", "5", "--format", "legacy", "--out", "x.table", expect=2)
        # A table of percentile 50 clips half of the values: some layers have to stay float, and are named.
        clipped = ("--method", "percentile", "--percentile", "50")
        said = self.run_tool("calibrate", *args, *clipped, "--max-drop", "60", "--out", "mixed.table").stdout
        mixed = [line.split()[1] for line in (self.dir / "mixed.table").read_text().splitlines() if line.endswith(" float")]
        self.assertTrue(mixed, said)
        self.assertIn(f"in float: {mixed[0]}" if len(mixed) == 1 else "in float:", said)
        self.assertTrue(all(f" {layer}" in said for layer in mixed), said)
        # What a table has and the legacy format has no word for is an error, not lost.
        done = self.run_tool("calibrate", *args, "--table", "mixed.table", "--format", "legacy", "--out", "x.table", expect=1)
        self.assertRegex(done.stderr, "mixed.table: layer '.*': the legacy format has no word for")
        for bad in (("--max-drop", "nan"), ("--method", "percentile", "--percentile", "nan"), ("--percentile", "70"),
                    ("--preset", "performance", "--method", "mse")):
            self.run_tool("calibrate", *args, *bad, "--out", "x.table", expect=2)
        self.assertFalse((self.dir / "x.table").exists())
        # What cannot be reached is an error, and no table.
        done = self.run_tool("calibrate", *args, *clipped, "--max-drop", "0", "--report", "why.json", "--out", "none.table", expect=1)
        self.assertTrue(json.loads((self.dir / "why.json").read_text())["layers"])
        self.assertRegex(done.stderr, r"the target was missed: 100.0 % agreement.* wanted, [0-9.]+ % agreement.* reached .*no table was written")
        self.assertFalse((self.dir / "none.table").exists())
        folder = self.convert_demo("detector")
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--max-drop", "5", "--out", "x.table",
                             expect=1)
        self.assertIn("ends in class scores", done.stderr)

    def test_labels_decide_what_may_be_lost(self):
        folder = self.convert_demo("classifier")
        labels = folder / "test" / "test.txt"
        args = ("net.param", "net.bin", "--images", labels, "--labels", labels, "--method", "percentile", "--percentile", "50")
        self.run_tool("calibrate", *args, "--out", "x.table", expect=2)
        said = self.run_tool("calibrate", *args, "--max-drop", "40", "--out", "net.table").stdout
        self.assertRegex(said, r"with all layers in int8: [0-9.]+ % accuracy")
        result = self.evaluate("net.table", "--images", labels, "--labels", labels, "--precision", "int8")
        self.assertGreaterEqual(result["int8"]["top1"], result["float"]["top1"] - 40.0, said)
        # Labels of some images, and labels that are not this network's.
        named = labels.read_text().splitlines()
        some = self.dir / "some.txt"
        some.write_text("\n".join(named[:10]) + "\n")
        done = self.run_tool("calibrate", *args[:-5], some, *args[-4:], "--max-drop", "40", "--out", "net.table")
        self.assertIn(f"some.txt: names 10 of the {len(named)} images", done.stderr)
        some.write_text("".join(f"{line.rsplit(' ', 1)[0]} {29 - int(line.rsplit(' ', 1)[1])}\n" for line in named))
        done = self.run_tool("calibrate", *args[:-5], some, *args[-4:], "--max-drop", "5", "--out", "x.table", expect=1)
        self.assertRegex(done.stderr, "by these labels the float network has [0-9.]+ % accuracy")
        folder = self.convert_demo("detector")
        labels = folder / "test" / "test.json"
        args = ("net.param", "net.bin", "--images", folder / "test", "--task", "detect", "--max-drop", "5")
        for more in ((), ("--labels", labels)):
            self.run_tool("calibrate", *args, *more, "--out", "det.table")
            result = self.evaluate("det.table", "--task", "detect", "--images", folder / "test", "--labels", labels)
            self.assertGreaterEqual(result["int8"]["map50"], result["float"]["map50"] - 5.0)

    def test_reports(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        self.run_tool("calibrate", *args, "--report", "r.html", "--report", "r.json", "--out", "net.table")
        report = json.loads((self.dir / "r.json").read_text())
        self.assertEqual(report["method"], "kl")
        self.assertEqual(report["images"], len(list((folder / "calib").glob("*.jpg"))))
        conv = next(layer for layer in report["layers"] if layer["type"] == "Convolution")
        for key in ("name", "blob", "scale", "zero_point", "threshold", "absmax", "clipped_percent", "sqnr_db", "cosine", "precision"):
            self.assertIn(key, conv)
        self.assertEqual(conv["precision"], "int8")
        self.assertGreater(conv["sqnr_db"], 10.0)
        self.assertGreater(conv["cosine"], 0.95)
        page = (self.dir / "r.html").read_text()
        self.assertNotRegex(page, r"(?i)(src|href)=.?https?:")
        self.assertIn(json.dumps(conv["name"]), page)
        # No table is asked for: the one that is there is looked at.
        said = self.run_tool("calibrate", *args, "--table", "net.table", "--explain", conv["name"], "--quiet").stdout
        self.assertIn(f"{conv['name']} (Convolution) runs int8", said)
        self.assertIn("no such layer", self.run_tool("calibrate", *args, "--explain", "nothing", expect=1).stderr)
        self.run_tool("calibrate", *args, "--report", "r.txt", "--out", "x.table", expect=2)

    def test_legacy_tables_are_refined(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        self.run_tool("calibrate", *args, "--format", "legacy", "--out", "old.table")
        self.run_tool("calibrate", *args, "--table", "old.table", "--bias-correction", "--round-weights", "--out", "new.table")
        old = dict(line.split(maxsplit=1) for line in (self.dir / "old.table").read_text().splitlines())
        new = (self.dir / "new.table").read_text()
        self.assertTrue(new.startswith("fwtable 2\n"))
        self.assertIn(f"blob data {old['conv1']} 0\n", new)
        self.assertIn(f"weights conv10 {old['conv10_param_0']}\n", new)
        self.assertRegex(new, "(?m)^round conv10 [0-9a-f]+$")
        result = self.evaluate("new.table", "--images", folder / "test", "--labels", folder / "test" / "test.txt")
        self.assertGreaterEqual(result["agreement"], 93.0)

    def test_configurations(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        self.run_tool("calibrate", *args, "--method", "mse", "--limit", 8, "--symmetric", "--out", "a.table", "--save-config", "c.json")
        config = json.loads((self.dir / "c.json").read_text())
        self.assertEqual((config["method"], config["symmetric"], config["NET.param"]), ("mse", True, "net.param"))
        self.run_tool("calibrate", "--config", "c.json", "--out", "b.table")
        self.assertEqual((self.dir / "a.table").read_bytes(), (self.dir / "b.table").read_bytes())
        (self.dir / "bad.json").write_text('{"method": {}}')
        self.assertIn("bad.json: 'method'", self.run_tool("calibrate", *args, "--config", "bad.json", expect=1).stderr)
        (self.dir / "bad.json").write_text('{"methd": "kl"}')
        self.assertIn("bad.json: 'methd': no such option", self.run_tool("calibrate", *args, "--config", "bad.json", expect=1).stderr)
        (self.dir / "bad.json").write_text('{"symmetric": "yes"}')
        self.assertIn("expected true or false", self.run_tool("calibrate", *args, "--config", "bad.json", expect=1).stderr)
        (self.dir / "bad.json").write_text('{\n"symmetric" true}')
        self.assertIn("bad.json: parse error at line 2", self.run_tool("calibrate", *args, "--config", "bad.json", expect=1).stderr)

    def test_the_old_command_line(self):
        folder = DEMO / "classifier"
        words = (folder / "preprocess.txt").read_text().split()
        given = dict(zip(words[::2], words[1::2]))
        old = ("--proto", folder / "deploy.prototxt", "--model", folder / "net.caffemodel", "--mean", *given["--mean"].split(","),
               "--norm", given.get("--norm", "1").split(",")[0], f"--images={folder / 'calib'}", "--gpu=1")
        self.run_tool("calibrate", *old, "--output", "old.table", "--group", 1)
        lines = {line.split()[0]: line.split()[1:] for line in (self.dir / "old.table").read_text().splitlines()}
        self.assertGreater(len(set(lines["conv10_param_0"])), 1)
        self.assertEqual(len(lines["conv10"]), 1)
        self.run_tool("calibrate", *old, "--output", "layer.table", "--group=0")
        lines = {line.split()[0]: line.split()[1:] for line in (self.dir / "layer.table").read_text().splitlines()}
        self.assertEqual(len(set(lines["conv10_param_0"])), 1)
        self.run_tool("calibrate", "--proto", "x.prototxt", expect=2)

    def test_images_that_say_nothing_are_refused(self):
        folder = self.convert_demo("classifier")
        images = self.dir / "images"
        shutil.copytree(folder / "calib", images)
        count = len(list(images.glob("*.jpg")))
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--limit", count + 1, "--out", "t", expect=1)
        self.assertIn(f"only {count} images", done.stderr)
        (images / "black.pgm").write_bytes(b"P5 8 8 255\n" + bytes(64))
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--out", "t", expect=1)
        self.assertIn("black.pgm: every pixel", done.stderr)
        self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--skip-bad", "--out", "t")
        (self.dir / "nan").mkdir()
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 64, 64), }\n"
        (self.dir / "nan" / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header +
                                                 struct.pack("<2f", 1, float("nan")) + bytes(4 * (3 * 64 * 64 - 2)))
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", "nan", "--out", "n", expect=1)
        self.assertRegex(done.stderr, "a.npy: .*blob 'data' holds inf or nan")
        self.assertFalse((self.dir / "n").exists())
        (self.dir / "r.param").write_text("7767517\n2 2\nInput data 0 1 data 0=64 1=64 2=3\nReLU r 1 1 data out\n")
        (self.dir / "r.bin").write_bytes(b"")
        done = self.run_tool("calibrate", "r.param", "r.bin", "--images", folder / "calib", "--mean", "0", "--norm", "1", "--out", "n", expect=1)
        self.assertIn("has no layer that can be quantized", done.stderr)
        done = self.run_tool("calibrate", "r.param", "r.bin", "--images", folder / "calib", "--mean", "0", "--norm", "1", "--collect-only",
                             "r.stats", expect=1)
        self.assertIn("has no layer that can be quantized", done.stderr)
        (self.dir / "r.param").write_text("7767517\n2 2\nInput data 0 1 data 0=64 1=64 2=3\nConvolution r 1 1 data out 0=1 1=1 5=1 6=3\n")
        (self.dir / "r.bin").write_bytes(bytes(4) + struct.pack("<4f", 1, 1, 1, 0))
        done = self.run_tool("calibrate", "r.param", "r.bin", "--images", folder / "calib", "--norm", "1e38", "--out", "n", expect=1)
        self.assertRegex(done.stderr, "blob 'data' holds inf or nan")

    def test_networks_with_several_inputs(self):
        def array(values, shape):
            header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values)

        rng = random.Random(5)
        (self.dir / "net.param").write_text(
            "7767517\n5 5\nInput left 0 1 left 0=6 1=6 2=3\nInput right 0 1 side/right 0=6 1=6 2=3\n"
            "Convolution a 1 1 left a 0=4 1=1 5=1 6=12\nConvolution b 1 1 side/right b 0=4 1=1 5=1 6=12\nEltwise sum 2 1 a b sum 0=1\n")
        (self.dir / "net.bin").write_bytes(2 * (bytes(4) + struct.pack("<16f", *(rng.gauss(0, 1) for _ in range(16)))))
        for sample in range(6):
            folder = self.dir / "sets" / str(sample)
            folder.mkdir(parents=True)
            for name in ("left", "side_right"):
                (folder / f"{name}.npy").write_bytes(array([rng.gauss(0, 1) for _ in range(108)], "(1, 3, 6, 6)"))
        (self.dir / "list.txt").write_text("".join(f"sets/{sample}\n" for sample in range(6)))
        args = ("calibrate", "net.param", "net.bin", "--images")
        tables = []
        for images, threads in (("sets", "1"), ("sets", "3"), ("list.txt", "2")):
            self.run_tool(*args, images, "--threads", threads, "--limit", "6", "--bias-correction", "--round-weights", "--out", "t.table")
            tables.append((self.dir / "t.table").read_text())
        self.assertEqual(len(set(tables)), 1)
        self.assertIn("side/right", tables[0])
        for part in ("1", "2"):
            self.run_tool(*args, "sets", "--part", f"{part}/2", "--collect-only", f"{part}.stats")
        self.run_tool("calibrate", "net.param", "net.bin", "--merge", "1.stats", "2.stats", "--out", "merged.table")
        self.run_tool(*args, "sets", "--out", "plain.table")
        self.assertEqual((self.dir / "merged.table").read_bytes(), (self.dir / "plain.table").read_bytes())
        self.run_tool(*args, "sets", "--preset", "accuracy", "--report", "report.json", "--out", "t.table")
        report = json.loads((self.dir / "report.json").read_text())
        self.assertGreater(min(layer["sqnr_db"] for layer in report["layers"]), 20.0)
        self.assertEqual({image["image"] for image in report["worst"]}, {f"sets/{sample}" for sample in range(6)})
        # One input: the arrays are listed themselves, and no preprocessing has to be known.
        (self.dir / "one.param").write_text("7767517\n2 2\nInput left 0 1 left 0=6 1=6 2=3\nConvolution a 1 1 left a 0=4 1=1 5=1 6=12\n")
        (self.dir / "arrays.txt").write_text("".join(f"sets/{sample}/left.npy\n" for sample in range(6)))
        (self.dir / "one.bin").write_bytes((self.dir / "net.bin").read_bytes()[:68])
        self.run_tool("calibrate", "one.param", "one.bin", "--images", "arrays.txt", "--out", "t.table")
        (self.dir / "sets" / "3" / "left.npy").rename(self.dir / "left.npy")
        self.assertIn("sets/3/left.npy", self.run_tool(*args, "sets", "--out", "t.table", expect=1).stderr)
        self.assertIn("1 images could not be read", self.run_tool(*args, "sets", "--skip-bad", "--out", "t.table").stdout)
        (self.dir / "sets" / "other.npy").write_bytes(b"")
        self.assertIn("other.npy: the network has 2 inputs", self.run_tool(*args, "sets", "--out", "t.table", expect=1).stderr)

    def test_presets(self):
        folder = self.convert_demo("classifier")
        args = ("net.param", "net.bin", "--images", folder / "calib")
        said = self.run_tool("calibrate", *args, "--preset", "accuracy", "--out", "accuracy.table").stdout
        self.assertRegex(said, r"kl +[0-9.]+ dB +kept")
        self.run_tool("calibrate", *args, "--preset", "accuracy", "--threads", "3", "--out", "again.table")
        self.assertEqual((self.dir / "accuracy.table").read_bytes(), (self.dir / "again.table").read_bytes())
        self.run_tool("calibrate", *args, "--out", "plain.table")
        test = ("--images", folder / "test", "--labels", folder / "test" / "test.txt")
        plain = self.evaluate("plain.table", *test)
        result = self.evaluate("accuracy.table", *test)
        self.assertGreaterEqual(result["int8"]["top1"], result["float"]["top1"] - 1.0)
        self.assertGreaterEqual(result["agreement"], plain["agreement"] - 1.0)
        self.run_tool("calibrate", *args, "--preset", "accuracy", "--format", "legacy", "--out", "x.table", expect=2)
        self.run_tool("calibrate", *args, "--bias-correction", "--out", "bias.table")
        self.assertRegex((self.dir / "bias.table").read_text(), "(?m)^bias conv")
        self.run_tool("calibrate", *args, "--bias-correction", "--round-weights", "--out", "round.table")
        self.assertGreater(self.evaluate("round.table", *test)["sqnr_db"], self.evaluate("bias.table", *test)["sqnr_db"])
        folder = self.convert_demo("detector")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--preset", "performance", "--out", "det.table")
        result = self.evaluate("det.table", "--task", "detect", "--images", folder / "test", "--labels", folder / "test" / "test.json")
        self.assertGreaterEqual(result["int8"]["map50"], result["float"]["map50"] - 1.0)

    def test_legacy_table(self):
        folder = self.convert_demo("classifier")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "old.table", "--format", "legacy")
        lines = (self.dir / "old.table").read_text().splitlines()
        self.assertTrue(any(line.startswith("conv10_param_0 ") for line in lines))
        result = self.evaluate("old.table", "--images", folder / "test", "--labels", folder / "test" / "test.txt")
        self.assertGreaterEqual(result["int8"]["top1"], result["float"]["top1"] - 5.0)

    def test_unreadable_images_are_named_and_left_out(self):
        folder = self.convert_demo("classifier")
        images = self.dir / "images"
        shutil.copytree(folder / "calib", images)
        (images / "aaa_broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--out", "net.table", expect=1)
        self.assertIn("aaa_broken.jpg", done.stderr)
        done = self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--skip-bad", "--out", "net.table")
        self.assertIn("aaa_broken.jpg", done.stderr)
        self.assertIn("1 images could not be read", done.stdout)
        for image in images.iterdir():
            image.write_bytes(b"nothing")
        before = (self.dir / "net.table").read_bytes()
        self.run_tool("calibrate", "net.param", "net.bin", "--images", images, "--out", "net.table", "--quiet", "--skip-bad",
                      expect=1)
        self.assertEqual((self.dir / "net.table").read_bytes(), before)

    def test_outputs_are_kept_when_writing_fails(self):
        folder = self.convert_demo("classifier")
        before = (self.dir / "net.bin").read_bytes()
        self.run_tool("caffe2fw", folder / "deploy.prototxt", DEMO / "detector" / "net.caffemodel", "net.param", "net.bin", expect=1)
        self.assertEqual((self.dir / "net.bin").read_bytes(), before)
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--limit", 2, "--out", "no/such/dir/t", expect=1)

    def test_inputs_are_never_overwritten(self):
        self.convert_demo("classifier")
        picture = shutil.copy(self.IMAGE, self.dir / "picture.png")
        last = shutil.copy(self.IMAGE, self.dir / "z.png")
        labels = self.dir / "labels"
        labels.write_text("picture.png 1\n")
        for name in ("a.prototxt", "a.caffemodel"):
            (self.dir / name).write_text("kept")
        for args in (("caffe2fw", "a.prototxt", "a.caffemodel", "a.prototxt", "b.bin"),
                     ("caffe2fw", "a.prototxt", "a.caffemodel", "b.param", "./a.caffemodel"),
                     ("caffe2fw", "a.prototxt", "a.caffemodel", "b", "b"),
                     ("calibrate", "net.param", "net.bin", "--images", picture, "--out", "net.param"),
                     ("calibrate", "net.param", "net.bin", "--images", self.dir, "--out", picture),
                     ("fwrun", "net.param", "net.bin", picture, "--dump", "net.bin"),
                     ("fwrun", "net.param", "net.bin", picture, "--dump", self.dir / "picture.png"),
                     ("fweval", "net.param", "net.bin", "--images", picture, "--labels", labels, "--json", "net.bin"),
                     ("fweval", "net.param", "net.bin", "--images", picture, "--labels", labels, "--json", labels),
                     ("fweval", "net.param", "net.bin", "--images", self.dir, "--limit", 1, "--labels", labels, "--json", last),
                     ("calibrate", "net.param", "net.bin", "--images", self.dir, "--limit", 1, "--out", last),
                     ("ssd", picture, ".", "--out", picture), ("ssd", picture, ".", "--out", "net.bin")):
            before = {path: path.read_bytes() for path in self.dir.iterdir()}
            self.run_tool(*args, expect=2)
            self.assertEqual({path: path.read_bytes() for path in self.dir.iterdir()}, before, args)

    def test_the_input_blob_is_an_array_never_an_image(self):
        self.convert_demo("classifier")
        self.run_tool("fwrun", "net.param", "net.bin", "--input", self.IMAGE, expect=1)

    def test_a_full_device_is_an_error(self):
        self.convert_demo("classifier")
        command = [BIN / "fwrun", "net.param", "net.bin", *[self.IMAGE] * 100]  # more than one buffer of output
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=self.dir, timeout=60)
        self.assertEqual((done.returncode, done.stderr.decode()), (1, "error: cannot write to standard output\n"))

    def test_a_limit_of_file_sizes_is_an_error(self):
        folder = self.convert_demo("classifier")
        before = sorted(path.name for path in self.dir.iterdir())
        command = [BIN / "calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "net.table", "--quiet"]
        done = subprocess.run(command, stderr=subprocess.PIPE, cwd=self.dir, timeout=60,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))
        self.assertEqual((done.returncode, done.stderr.decode()), (1, "error: net.table: cannot write: File too large\n"))
        self.assertEqual(sorted(path.name for path in self.dir.iterdir()), before)

    def test_stored_preprocessing_is_the_truth(self):
        self.convert_demo("classifier")
        for args in (("fwrun", self.IMAGE), ("fweval", "--images", self.IMAGE, "--table", "t", "--against", "float"),
                     ("calibrate", "--images", self.IMAGE, "--out", "t")):
            (self.dir / "t").write_text("fwtable 2\nblob data 1 0\n")
            for option in (("--mean", "1"), ("--norm", "2"), ("--pixel", "RGB"), ("--size", "0x5")):
                self.run_tool(args[0], "net.param", "net.bin", *args[1:], *option, expect=2)

    def test_fp16_weights(self):
        folder = DEMO / "classifier"
        self.convert(folder / "deploy.prototxt", folder / "net.caffemodel", *(folder / "preprocess.txt").read_text().split())
        full = (self.dir / "net.bin").stat().st_size
        self.run_tool("fwrun", "net.param", "net.bin", self.IMAGE, "--dump", "f32.npy")
        self.convert(folder / "deploy.prototxt", folder / "net.caffemodel", "--fp16", *(folder / "preprocess.txt").read_text().split())
        self.assertLess((self.dir / "net.bin").stat().st_size, 0.6 * full)
        self.run_tool("fwrun", "net.param", "net.bin", self.IMAGE, "--dump", "f16.npy")
        self.run_tool("fwdiff", "f16.npy", "f32.npy", "--tol", "0.02")


class Usage(Road):
    TOOLS = ["caffe2fw", "calibrate", "fwopt", "fweval", "fwrun", "fwdiff", "squeezenet", "ssd", "segment", "facemesh"]

    def test_help_and_version(self):
        for tool in self.TOOLS:
            text = self.run_tool(tool, "--help").stdout
            self.assertIn("Examples:", text, tool)
            self.assertRegex(self.run_tool(tool, "--version").stdout, rf"^{tool} \d+\.\d+\.\d+\n$")

    def test_bad_usage_is_exit_2(self):
        for tool in self.TOOLS:
            self.run_tool(tool, expect=2)
            self.run_tool(tool, "--no-such-option", expect=2)
        self.run_tool("calibrate", "a", "b", "--images", "c", "--out", "d", "--method", "magic", expect=2)
        self.run_tool("fwrun", "a", "b", expect=2)

        for value in ("0", "-1", "x"):
            done = self.run_tool("calibrate", "a", "b", "--images", "c", "--out", "d", "--limit", value, expect=2)
            self.assertLess(len(done.stderr), 120)
        self.run_tool("fwrun", "a", "b", "x.jpg", "--table", "", expect=2)
        self.run_tool("fwrun", "a", "b", "x.jpg", "--precision", "int8", expect=2)
        self.run_tool("fweval", "a", "b", "--images", "x.jpg", "--precision", "int8", expect=2)
        self.run_tool("caffe2fw", "a", "b", "c", "d", "--norm", "0", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "b.param", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "a.param", "b.bin", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "b.param", "t.table", "--int8", "t.table", expect=2)
        done = self.run_tool("fwdiff", "a", "b", "--tol", "-1", expect=2)
        self.assertLess(len(done.stderr), 120)

    def test_missing_files_are_exit_1_and_named(self):
        for args in (("fwrun", "no.param", "no.bin", "x.jpg"), ("fwdiff", "no.npy", "b.npy"),
                     ("caffe2fw", "no.prototxt", "no.caffemodel", "a", "b"), ("squeezenet", "no.jpg", "no_dir"),
                     ("segment", "no.jpg", "no_dir"), ("facemesh", "no.jpg", "no_dir"),
                     ("fwopt", "no.param", "no.bin", "a", "b"),
                     ("calibrate", "no.param", "no.bin", "--images", "no_dir", "--out", "t")):
            self.assertIn("no", self.run_tool(*args, expect=1).stderr)

    def test_bad_environment(self):
        param = self.dir / "n.param"
        param.write_text("7767517\n2 2\nInput in 0 1 in 0=3\nReLU r 1 1 in out\n")
        (self.dir / "n.bin").write_bytes(b"")
        done = self.run_tool("fwrun", "n.param", "n.bin", "--input", "x.npy", expect=1, env={"FW_ISA": "sse9"})
        self.assertIn("FW_ISA", done.stderr)


@unittest.skipUnless((DATA / "models").is_dir(), f"FW_DATA: no models in {DATA}")
class RealRoad(Road):
    def test_squeezenet_on_photographs(self):
        folder = DATA / "models" / "caffe" / "squeezenet_v1.1"
        images = DATA / "images"
        self.convert(folder / "deploy.prototxt", folder / "squeezenet_v1.1.caffemodel", "--mean", "104,117,123", "--size", "227x227",
                     "--pixel", "BGR")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", images / "imagenet_calib.txt", "--out", "net.table")
        val = images / "imagenet_val.txt"
        result = self.evaluate("net.table", "--images", val, "--labels", val)
        print("squeezenet", result["float"], result["int8"], result["agreement"])
        self.assertLessEqual(result["float"]["top1"] - result["int8"]["top1"], 1.5)
        self.assertGreaterEqual(result["agreement"], 90.0)
        result = self.evaluate(DATA / "tables" / "squeezenet_weight.table", "--images", val, "--labels", val)
        print("squeezenet, legacy table", result["float"], result["int8"], result["agreement"])
        self.assertLessEqual(result["float"]["top1"] - result["int8"]["top1"], 2.0)

    def test_mobilenet_on_photographs(self):
        name = "mobilenet_v1_1.0_224"
        folder = DATA / "models" / "caffe" / name
        images = DATA / "images"
        self.convert(folder / "deploy.prototxt", folder / f"{name}.caffemodel", "--mean", "127.5", "--norm", "0.00784313725", "--size",
                     "224x224", "--pixel", "RGB")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", images / "imagenet_224_rot180_calib.txt", "--out", "net.table")
        val = images / "imagenet_224_rot180_val.txt"
        result = self.evaluate("net.table", "--images", val, "--labels", val)
        print(name, result["float"], result["int8"], result["agreement"])
        self.assertLessEqual(result["float"]["top1"] - result["int8"]["top1"], 2.0)

    def test_a_hard_mobilenet_with_some_layers_in_float(self):
        # Trained in float: high-pass filters in its first depthwise layers amplify the rounding of what they read.
        name = "mobilenet_v1_0.25_224"
        folder = DATA / "models" / "caffe" / name
        images = DATA / "images"
        self.convert(folder / "deploy.prototxt", folder / f"{name}.caffemodel", "--mean", "127.5", "--norm", "0.00784313725", "--size",
                     "224x224", "--pixel", "RGB")
        said = self.run_tool("calibrate", "net.param", "net.bin", "--images", images / "imagenet_224_rot180_calib.txt", "--max-drop", "10",
                             "--out", "net.table").stdout
        val = images / "imagenet_224_rot180_val.txt"
        result = self.evaluate("net.table", "--images", val, "--labels", val)
        print(name, said, result["float"], result["int8"], result["agreement"])
        self.assertLessEqual(result["float"]["top1"] - result["int8"]["top1"], 2.0)

    def test_top5_of_whole_images(self):
        # expected_top5.csv of every Caffe classifier: the same five classes in the same order for every file, but for ties.
        unit = ("--mean", "127.5", "--norm", "0.00784313725490196", "--size", "224x224", "--pixel", "RGB")
        nets = {"squeezenet_v1.1": ("imagenet", ("--mean", "104,117,123", "--size", "227x227", "--pixel", "BGR")),
                "mobilenet_v1_1.0_224": ("imagenet_224_rot180", unit), "mobilenet_v1_0.25_224": ("imagenet_224_rot180", unit),
                "mobilenet_v2_1.0_224": ("imagenet_224_rot180", unit)}
        for name, (images, options) in nets.items():
            folder = DATA / "models" / "caffe" / name
            with open(folder / "expected_top5.csv") as file:
                expected = list(csv.DictReader(file))
            self.assertEqual(len(expected), 300)
            self.convert(folder / "deploy.prototxt", folder / f"{name}.caffemodel", *options)
            out = self.run_tool("fwrun", "net.param", "net.bin", *(DATA / "images" / images / row["file"] for row in expected)).stdout
            got = [line.split() for line in out.splitlines() if line.startswith("  ")]
            self.assertEqual(len(got), 5 * len(expected))
            worst = 0.0
            for i, row in enumerate(expected):
                for k in range(1, 6):
                    found, score = int(got[5 * i + k - 1][0]), float(got[5 * i + k - 1][1])
                    worst = max(worst, abs(score - float(row[f"q{k}"])))
                    if found != int(row[f"p{k}"]):  # a tie: both files print six digits
                        self.assertLessEqual(abs(score - float(row[f"q{k}"])), 1.5e-6, f"{name} {row['file']} place {k}")
            print(name, "largest difference of a probability", worst)
            self.assertLess(worst, 5e-5)

    def test_ssd_on_photographs(self):
        name = "ssd_mobilenet_v1_coco"
        folder = DATA / "models" / "caffe" / name
        images = DATA / "images"
        self.convert(folder / "deploy.prototxt", folder / f"{name}.caffemodel", "--mean", "127.5", "--norm", "0.00784313725", "--size",
                     "300x300", "--pixel", "RGB")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", images / "coco64_calib.txt", "--out", "net.table")
        result = self.evaluate("net.table", "--task", "detect", "--images", images / "coco64_val.txt", "--labels",
                               images / "coco64_rot180.json")
        print(name, result["float"], result["int8"], result["agreement"])
        self.assertLessEqual(result["float"]["map50"] - result["int8"]["map50"], 1.5)

    def convert_onnx(self, name, *options):
        self.run_tool("onnx2fw", DATA / "models" / "onnx" / name / f"{name}.onnx", "net.param", "net.bin", *options)

    def test_segment_finds_the_bird(self):
        misc = DATA / "images" / "misc"
        self.convert_onnx("deeplabv3_mnv2_dm05_float_257", "--mean", "127.5", "--norm", "0.00784313725", "--size", "257x257", "--pixel", "RGB")
        shutil.copy(misc / "pascal_voc_segmentation_labels.txt", self.dir / "labels.txt")
        out = self.run_tool("segment", misc / "bird_segmentation.bmp", self.dir, "--out", "tinted.png").stdout
        rows = [line.split() for line in out.splitlines()[1:]]
        self.assertEqual({row[2] for row in rows[:2]}, {"background", "bird"}, out)
        self.assertGreater(sum(float(row[0]) for row in rows[:2]), 97.0, out)
        self.assertEqual((self.dir / "tinted.png").read_bytes()[:4], b"\x89PNG")

    def test_facemesh_finds_a_face(self):
        self.convert_onnx("face_landmark_192", "--mean", "0", "--norm", "0.00392156863", "--size", "192x192", "--pixel", "RGB")
        out = self.run_tool("facemesh", DATA / "images" / "misc" / "face.jpg", self.dir, "--face", "225,10,170,180",
                            "--out", "mesh.png").stdout
        self.assertIn(" 468 points", out)
        self.assertGreater(float(out.splitlines()[1].split()[0]), 50.0, out)
        self.assertEqual((self.dir / "mesh.png").read_bytes()[:4], b"\x89PNG")


if __name__ == "__main__":
    sys.exit(suites.run(DemoRoad, Usage, RealRoad))
