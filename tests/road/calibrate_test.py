#!/usr/bin/env python3
"""What calibrate makes of the embedded networks."""
import json
import random
import shutil
import struct
import sys

from road import DEMO, DemoNetworks
import suites


class CalibrateRoad(DemoNetworks):
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

    def test_projections_of_attention_run_int8(self):
        """From arrays to an int8 transformer block: scales of what attention is made of, in every tool that takes tables."""
        numbers = random.Random(3)

        def floats(count, bound):
            return struct.pack(f"<{count}f", *(numbers.uniform(-bound, bound) for _ in range(count)))

        def linear(outputs, inputs):
            return struct.pack("<I", 0) + floats(outputs * inputs, 1.7 / inputs ** 0.5) + floats(outputs, 0.1)

        (self.dir / "net.param").write_text(
            "7767517\n9 10\nInput data 0 1 data 0=32 1=9\nSplit s 1 2 data a b\nLayerNorm norm 1 1 a norm 0=32\n"
            "MultiHeadAttention att 1 1 norm att 0=32 1=2 2=1024\nEltwise add 2 1 att b add 0=1\n"
            "InnerProduct mlp 1 1 add mlp 0=64 1=1 2=2048\nReshape row 1 1 mlp row 0=576\nInnerProduct head 1 1 row head 0=10 1=1 2=5760\n"
            "Softmax prob 1 1 head prob\n")
        (self.dir / "net.bin").write_bytes(struct.pack("<32f", *[1.0] * 32) + floats(32, 0.1) + b"".join(linear(32, 32) for _ in range(4)) +
                                           linear(64, 32) + linear(10, 576))
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 32)}".ljust(117) + "\n"
        (self.dir / "images").mkdir()
        for i in range(24):
            (self.dir / "images" / f"{i:02}.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                                                            floats(288, 1.0))
        args = ("net.param", "net.bin", "--images", "images")
        parts = [f"att/{part}" for part in ("query", "key", "value", "out")]
        for name, more in (("plain", ()), ("legacy", ("--format", "legacy", "--symmetric")), ("preset", ("--preset", "performance")),
                           ("all", ("--bias-correction", "--round-weights", "--equalize"))):
            self.run_tool("calibrate", *args, "--out", f"{name}.table", *more)
            lines = [line.split()[:2] for line in (self.dir / f"{name}.table").read_text().splitlines()]
            for part in parts:
                self.assertIn(f"{part}_param_0" if name == "legacy" else ["weights", part], [line[0] for line in lines] + lines)
            self.run_tool("calibrate", *args, "--table", f"{name}.table", "--report", "r.json")
            layers = {layer["name"]: layer for layer in json.loads((self.dir / "r.json").read_text())["layers"]}
            for part in parts:
                self.assertEqual(layers[part]["precision"], "int8", name)
            self.assertEqual(layers["att/context"]["precision"], "float", name)
            self.assertGreater(layers["head"]["sqnr_db"], 20.0, name)
            self.run_tool("fwopt", "net.param", "net.bin", "int8.param", "int8.bin", "--int8", f"{name}.table")
            self.assertIn("MultiHeadAttention att/context", (self.dir / "int8.param").read_text().replace("  ", ""))
        self.assertRegex((self.dir / "all.table").read_text(), "bias mlp( [^ ]+){64}\n")
        # A search for float layers goes through the parts.
        clipped = ("--method", "percentile", "--percentile", "60", "--max-drop", "25")
        said = self.run_tool("calibrate", *args, *clipped, "--out", "mixed.table").stdout
        self.assertIn(" of 6 layers float", said)
        self.assertIn("att/out", self.run_tool("calibrate", *args, "--table", "plain.table", "--explain", "att/out", "--quiet").stdout)
        # A table from before the parts were known, and one of another number of scales.
        plain = (self.dir / "plain.table").read_text().splitlines()
        (self.dir / "old.table").write_text("\n".join(line for line in plain if " att/" not in line) + "\n")
        self.run_tool("fwopt", "net.param", "net.bin", "old.param", "old.bin", "--int8", "old.table")
        self.assertRegex((self.dir / "old.param").read_text(), r"MultiHeadAttention +att ")
        (self.dir / "bad.table").write_text("fwtable 2\nweights att/key 1.0 2.0\n")
        done = self.run_tool("calibrate", *args, "--table", "bad.table", "--report", "r.json", "--out", "x.table")
        self.assertIn("layer 'att/key': 2 weight scales in the table, 32 in the network", done.stderr)

    def test_legacy_table(self):
        folder = self.convert_demo("classifier")
        self.run_tool("calibrate", "net.param", "net.bin", "--images", folder / "calib", "--out", "old.table", "--format", "legacy")
        lines = (self.dir / "old.table").read_text().splitlines()
        self.assertTrue(any(line.startswith("conv10_param_0 ") for line in lines))
        result = self.evaluate("old.table", "--images", folder / "test", "--labels", folder / "test" / "test.txt")
        self.assertGreaterEqual(result["int8"]["top1"], result["float"]["top1"] - 5.0)


if __name__ == "__main__":
    sys.exit(suites.run(CalibrateRoad))
