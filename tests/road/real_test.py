#!/usr/bin/env python3
"""Networks under FW_DATA (skipped, 77, without it)."""
import csv
import shutil
import sys
import unittest

from road import DATA, Road
import suites


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
    sys.exit(suites.run(RealRoad))
