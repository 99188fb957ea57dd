#!/usr/bin/env python3
"""The embedded networks, from Caffe files to int8 answers."""
import json
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import sys

from road import BIN, DEMO, DemoNetworks
import suites


class DemoRoad(DemoNetworks):
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


if __name__ == "__main__":
    sys.exit(suites.run(DemoRoad))
