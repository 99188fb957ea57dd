#!/usr/bin/env python3
"""fweval as a user runs it: python3 tests/fweval/command_test.py --bin build/bin/fweval [SUITE]

Usage: exit codes and messages. Figures: JSON against values known beforehand. Page: the HTML report in a headless Chromium (skipped,
77, without one). Real: real networks and images (skipped without FW_DATA). The networks have no weights, so that their answers are known: the means of red, green and blue are the scores of
three classes, the colours of a pixel those of its class, and an array of detections comes out as it went in.
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import suites  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FWEVAL = pathlib.Path(sys.argv[sys.argv.index("--bin") + 1]).resolve() if "--bin" in sys.argv else ROOT / "build/bin/fweval"

MEANS = "7767517\n2 2\nInput in 0 1 data 0=8 1=8 2=3\nPooling mean 1 1 data scores 0=1 4=1\n"
COLORS = "7767517\n2 2\nInput in 0 1 data 0=8 1=8 2=3\nPooling same 1 1 data scores 0=1 1=1 2=1\n"
SAME = "7767517\n2 2\nInput in 0 1 data\nNoop same 1 1 data found\n"
TABLE = "fwtable 2\nblob data 127 0\nblob scores 127 0\n"
RGB = ("--pixel", "RGB", "--norm", "0.00392157")
RED, GREEN, BLUE = (200, 20, 10), (20, 200, 10), (10, 20, 200)


class Eval(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fw_fweval_"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.write("net.bin", "")

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def picture(self, name, colors, width=8):
        """One colour a row, or one in each half of it."""
        rows = b"".join(bytes(c) * width if isinstance(c[0], int) else bytes(c[0]) * (width // 2) + bytes(c[1]) * (width - width // 2)
                        for c in colors)
        return self.write(name, b"P6\n%d %d\n255\n" % (width, len(colors)) + rows)

    def detections(self, name, rows):
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 6), }" % len(rows)
        header += " " * (-(len(header) + 11) % 64) + "\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        return self.write(name, data + b"".join(struct.pack("<6f", *row) for row in rows))

    def run_eval(self, *args, expect=0):
        done = subprocess.run([FWEVAL, *map(str, args)], capture_output=True, text=True, timeout=100, cwd=self.dir, check=False)
        self.assertEqual(done.returncode, expect, f"{args}\n{done.stdout}\n{done.stderr}")
        if expect != 0:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertTrue(lines[0].startswith("error: "), done.stderr)
        return done

    def figures(self, *args):
        self.run_eval("net.param", "net.bin", *args, "--json", "out.json")
        return json.loads((self.dir / "out.json").read_text())

    def classifier(self):
        self.write("net.param", MEANS)
        self.picture("a.ppm", [RED] * 8)
        self.picture("b.ppm", [GREEN] * 8)
        self.picture("c.ppm", [BLUE] * 5 + [RED] * 3)
        self.write("labels.txt", "a.ppm 0\nb.ppm 1\nc.ppm 0\n")
        self.write("names.txt", "red\ngreen\nblue\n")
        return ("--images", "labels.txt", "--labels", "labels.txt", "--names", "names.txt", *RGB)

    def segmenter(self):
        self.write("net.param", COLORS)
        self.picture("img/a.ppm", [(RED, GREEN)] * 8)
        self.picture("img/b.ppm", [BLUE] * 8)
        gray = lambda *rows: b"P5\n8 8\n255\n" + b"".join(bytes([a] * 4 + [b] * 4) for a, b in rows)  # noqa: E731
        self.write("masks/a.pgm", gray(*[(0, 1)] * 6, *[(1, 255)] * 2))  # 8 pixels taken for class 0 are 1, 8 are void
        self.write("masks/b.pgm", gray(*[(2, 2)] * 8))
        return ("--task", "segment", "--images", "img", "--labels", "masks", *RGB)

    def detector(self):
        """The data of tests/metrics, by way of files."""
        golden = json.loads((ROOT / "tests/metrics/golden.json").read_text())["detection"]
        self.write("net.param", SAME)
        images, annotations = [], []
        for i, image in enumerate(golden["images"]):
            width, height = image["width"], image["height"]
            self.detections(f"img/{i:03}.npy", image["found"] or [[9, 0.1, 0, 0, 1, 1]])  # no array is empty, and no class 9
            images.append({"id": i, "file_name": f"{i:03}.npy", "width": width, "height": height})
            for truth in image["truth"]:
                x0, y0, x1, y1 = truth["box"]
                box = [x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height]
                annotations.append({"image_id": i, "category_id": truth["label"], "bbox": box,
                                    "area": truth["area"] or box[2] * box[3], "iscrowd": int(truth["kind"] == "crowd"),
                                    "ignore": int(truth["kind"] == "difficult")})
        categories = [{"id": i, "name": f"<b>class</b> {i}"} for i in range(1, 5)]
        self.write("boxes.json", json.dumps({"images": images, "annotations": annotations, "categories": categories}))
        return golden["expected"], ("--task", "detect", "--images", "img", "--labels", "boxes.json", "--pixel", "RGB")


class Usage(Eval):
    def fails(self, expect, part, *args):
        self.assertIn(part, self.run_eval("net.param", "net.bin", *args, expect=expect).stderr)

    def test_bad_arguments_are_exit_2(self):
        given = self.classifier()
        self.fails(2, "--images", "--labels", "labels.txt")
        self.fails(2, "--task", *given, "--task", "guess")
        self.fails(2, "--worst", *given, "--worst", "-1")
        self.fails(2, "--limit", *given, "--limit", "0")
        self.fails(2, "--first-name", *given, "--first-name", "x")
        self.fails(2, "--table", *given, "--against", "float")
        self.fails(2, "--table", *given, "--precision", "int8")
        self.fails(2, "--nonsense", *given, "--nonsense")
        self.fails(2, "labels.txt", *given, "--json", "labels.txt")
        self.fails(2, "a.ppm", *given, "--report", "a.ppm")
        self.fails(2, "names.txt", *given, "--report", "names.txt")
        self.fails(2, "two outputs", *given, "--report", "x", "--json", "x")
        self.fails(2, "--labels", "--images", "a.ppm", *RGB)
        self.fails(2, "stores no preprocessing", *given[:4])
        self.fails(2, "--threads", *given, "--threads", "-2")
        self.fails(2, "--json", *given, "--json", "")

    def test_what_is_not_there_or_damaged_is_exit_1(self):
        given = self.classifier()
        self.fails(1, "none.txt", "--images", "none.txt", "--labels", "labels.txt", *RGB)
        self.fails(1, "none.txt", "--images", "a.ppm", "--labels", "none.txt", *RGB)
        self.fails(1, "none.table", *given, "--table", "none.table")
        self.fails(1, "none.names", *given[:4], *RGB, "--names", "none.names")
        self.fails(1, "no_blob", *given, "--output", "no_blob")
        self.fails(1, "nowhere", *given, "--report", "nowhere/out.html")
        self.fails(1, "label 7, but the network has 3 classes", *given[:2], "--labels", self.write("l.txt", "a.ppm 7\n"), *RGB)
        self.fails(1, "l.txt:2: ", *given[:2], "--labels", self.write("l.txt", "a.ppm 1\nb.ppm\n"), *RGB)
        self.fails(1, "no list of detections", *given[:2], "--task", "detect", "--labels",
                   self.write("l.txt", "a.ppm\nb.ppm\nc.ppm\n"), *RGB)
        self.fails(1, "l.txt:1: ", *given[:2], "--task", "detect", "--labels", self.write("l.txt", "a.ppm 1 2 3 4\n"), *RGB)
        self.fails(1, "does not list", *given[:2], "--task", "detect", "--labels", self.write("l.txt", "a.ppm\n"), *RGB)
        self.fails(1, "bad.json", *given[:2], "--task", "detect", "--labels", self.write("bad.json", "{\"images\": [}"), *RGB)
        self.fails(1, "other", *given, "--table", self.write("other.table", "other 1.5\nother_param_0 2\n"))
        self.fails(1, "bad.ppm", "--images", self.write("bad.ppm", b"P6\nno picture"), "--labels",
                   self.write("l.txt", "bad.ppm 0\n"), *RGB)

    def test_damaged_masks_name_the_file(self):
        given = self.segmenter()
        self.write("masks/a.pgm", "P5 no mask")
        self.fails(1, "masks/a.pgm", *given)
        self.fails(1, "labels none", *given[:4], "--labels", self.write("l.txt", "z.ppm masks/b.pgm\n"), *RGB)


class Figures(Eval):
    def test_classes(self):
        result = self.figures(*self.classifier())
        self.assertEqual(result["images"], 3)
        self.assertAlmostEqual(result["float"]["top1"], 200 / 3)
        self.assertAlmostEqual(result["float"]["top5"], 100)
        self.assertEqual([(c["name"], c["images"], c["top1"]) for c in result["float"]["per_class"]], [("red", 2, 50), ("green", 1, 100)])
        self.assertEqual(result["float"]["per_class"][0]["taken_for"], "blue")
        self.assertTrue(result["worst"][0]["image"].endswith("c.ppm"))
        self.assertNotIn("int8", result)
        self.assertNotIn("miou", result["float"])

    def test_int8_beside_float(self):
        given = self.classifier()
        self.write("t.table", TABLE)
        result = self.figures(*given, "--table", "t.table")
        self.assertEqual(result["int8"]["top1"], result["float"]["top1"])
        self.assertEqual(result["agreement"], 100)
        self.assertGreater(result["sqnr_db"], 30)
        alone = self.figures("--images", "a.ppm", *RGB, "--table", "t.table", "--against", "float")
        self.assertEqual(alone["agreement"], 100)
        self.assertNotIn("top1", alone["float"])

    def test_pixels(self):
        result = self.figures(*self.segmenter())["float"]
        # class 0: 24 right, 8 more found; class 1: 24 right, 8 missed; class 2: all 64.
        self.assertAlmostEqual(result["miou"], 100 * (24 / 32 + 24 / 32 + 1) / 3)
        self.assertAlmostEqual(result["pixel_accuracy"], 100 * 112 / 120)
        self.assertAlmostEqual(result["void_percent"], 100 * 8 / 128)
        self.assertEqual([c["pixels"] for c in result["per_class"]], [24, 32, 64])

    def test_boxes(self):
        expected, given = self.detector()
        result = self.figures(*given)["float"]
        for key in ("map50", "map_voc07", "map", "map50_coco", "map75", "map_small", "map_medium", "map_large", "recall"):
            self.assertAlmostEqual(result[key], expected[key], places=3, msg=key)  # the arrays are float32
        self.assertEqual([c["label"] for c in result["per_class"]], [c["label"] for c in expected["classes"]])
        self.assertEqual(result["per_class"][0]["name"], "<b>class</b> 1")

    def test_boxes_of_a_list_in_pixels(self):
        self.write("net.param", SAME)
        self.detections("a.npy", [[1, 0.9, 0, 0, 0.5, 0.5], [1, 0.8, 0.6, 0.5, 1, 1]])
        # The array's axes are its "pixels": 6 wide, 2 high.
        self.write("l.txt", "a.npy 1 0 0 3 1\na.npy 1 3.6 1 6 2 difficult\n")
        result = self.figures("--task", "detect", "--images", "a.npy", "--labels", "l.txt", "--pixel", "RGB")["float"]
        self.assertEqual((result["map50"], result["map_voc07"], result["map"]), (100, 100, 100))


class Page(Eval):
    def setUp(self):
        super().setUp()
        self.browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if self.browser is None:
            self.skipTest("no chromium here (scripts/install_deps.sh browser)")

    def dom(self, *args):
        self.run_eval("net.param", "net.bin", *args, "--report", "out.html", "--quiet")
        page = (self.dir / "out.html").read_text()
        self.assertNotRegex(page.replace("http://www.w3.org/2000/svg", ""), "https?://")
        return subprocess.run([self.browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.dir}/profile",
                               "--virtual-time-budget=5000", "--dump-dom", f"file://{self.dir}/out.html"],
                              capture_output=True, text=True, timeout=90, check=False).stdout

    def test_classes(self):
        given = self.classifier()
        self.write("t.table", TABLE)
        self.write("names.txt", "<script>document.title='owned'</script>\ngreen\nblue\n")
        dom = self.dom(*given, "--table", "t.table")
        self.assertIn("<title>fweval</title>", dom)
        self.assertIn("&lt;script&gt;document", dom)
        self.assertIn('data-rendered="3"', dom)
        self.assertEqual(dom.count("<figure>"), 3)
        self.assertEqual(len(re.findall(r'<img src="data:image/png;base64,', dom)), 3)
        self.assertIn("66.67", dom)
        self.assertIn("agreement of int8 with float", dom)

    def test_pixels(self):
        dom = self.dom(*self.segmenter())
        self.assertEqual(len(re.findall(r'<img src="data:image/png;base64,', dom)), 6)  # image, truth, float, of two
        self.assertIn("mIoU", dom)

    def test_boxes(self):
        expected, given = self.detector()
        dom = self.dom(*given, "--worst", 5)
        self.assertIn(f"{expected['map50']:.2f}", dom)
        self.assertIn("&lt;b&gt;class&lt;/b&gt; 1", dom)
        self.assertEqual(dom.count("<figure>"), 5)  # arrays have no picture, but a place in the list

    def test_boxes_on_pictures(self):
        folder = ROOT / "examples/demo/detector"
        options = (folder / "preprocess.txt").read_text().split()
        subprocess.run([FWEVAL.parent / "caffe2fw", folder / "deploy.prototxt", folder / "net.caffemodel", "net.param", "net.bin",
                        "--quiet", *options], cwd=self.dir, check=True, timeout=60)
        dom = self.dom("--task", "detect", "--images", folder / "test", "--labels", folder / "test/test.json", "--limit", 6)
        self.assertEqual(dom.count("<figure>"), 6)
        self.assertEqual(len(re.findall(r'<img src="data:image/png;base64,', dom)), 6)
        truth = json.loads((folder / "test/test.json").read_text())
        shown = sorted(i["file_name"] for i in truth["images"])[:6]
        ids = {i["id"] for i in truth["images"] if i["file_name"] in shown}
        boxes = sum(a["image_id"] in ids for a in truth["annotations"])
        self.assertEqual(len(re.findall(r'<rect [^>]*class="truth"', dom)), boxes + 1)  # and the legend's
        self.assertGreater(len(re.findall(r'<rect [^>]*class="float"', dom)), boxes // 2)


class Real(Eval):
    DATA = pathlib.Path(os.environ.get("FW_DATA") or ROOT.parent / "shared")

    def setUp(self):
        super().setUp()
        if not (self.DATA / "models").is_dir():
            self.skipTest(f"no real data in {self.DATA} (set FW_DATA)")

    def convert(self, tool, *args):
        subprocess.run([FWEVAL.parent / tool, *args[:-1], "net.param", "net.bin", "--quiet", "--pixel", "RGB", "--mean", "127.5",
                        "--norm", "0.00784313725", "--size", args[-1]], cwd=self.dir, check=True, timeout=60)

    def test_coco(self):
        folder, images = self.DATA / "models/caffe/ssd_mobilenet_v1_coco", self.DATA / "images"
        self.convert("caffe2fw", folder / "deploy.prototxt", folder / "ssd_mobilenet_v1_coco.caffemodel", "300x300")
        result = self.figures("--task", "detect", "--images", images / "coco64_val.txt", "--labels", images / "coco64_rot180.json")["float"]
        self.assertGreater(result["map50"], 40)
        self.assertLess(abs(result["map50"] - result["map50_coco"]), 2)  # two integrals of one curve
        self.assertLess(result["map"], result["map50_coco"])
        self.assertLess(result["map_small"], result["map_large"])
        self.assertIn("person", [c["name"] for c in result["per_class"]])

    def test_voc_mask(self):
        folder, misc = self.DATA / "models/onnx/deeplabv3_mnv2_dm05_float_257", self.DATA / "images/misc"
        self.convert("onnx2fw", folder / "deeplabv3_mnv2_dm05_float_257.onnx", "257x257")
        self.write("masks.txt", f"{misc}/bird_segmentation.bmp {misc}/bird_segmentation_mask.bmp\n")
        result = self.figures("--task", "segment", "--images", misc / "bird_segmentation.bmp", "--labels", "masks.txt",
                              "--names", misc / "pascal_voc_segmentation_labels.txt")["float"]
        self.assertGreater(result["pixel_accuracy"], 95)
        self.assertGreater({c["name"]: c["iou"] for c in result["per_class"]}["bird"], 80)


if __name__ == "__main__":
    sys.exit(suites.run(Usage, Figures, Page, Real))
