#!/usr/bin/env python3
"""What int8 costs in accuracy and memory: the tables of docs/performance-x86.md and of a release's note.

    benchmark/accuracy.py --data DIR [--build build] [--only top1,sqnr,presets,zoo] [--nets NAME,...] [--markdown FILE]

DIR is the folder of real models and images (FW_DATA is the default). Calibration sees the calib lists only.
Prints, as Markdown:
  top1  top-1 and agreement with float of classifiers, with symmetric and with affine tables
  sqnr  signal to quantization noise, in dB, of every output of BlazeFace, the face landmark network and DeepLab
  presets  for both presets of calibrate on each real network: top-1, mAP@0.5 or answers alike, agreement with float,
        layers kept in float (minutes a network)
  zoo   arena, least possible arena and conversions of every network of the zoo in int8
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

IMAGENET = ("imagenet_calib.txt", "imagenet_val.txt")
TURNED = ("imagenet_224_rot180_calib.txt", "imagenet_224_rot180_val.txt")
UNIT = ["--mean", "127.5,127.5,127.5", "--norm", "0.00784313725", "--pixel", "RGB"]

# Name, importer and its arguments, lists of images, labels are 1 more than the class.
CLASSIFIERS = [
    ("squeezenet_v1.1", "caffe", ["--mean", "104,117,123", "--pixel", "BGR", "--size", "227x227"], IMAGENET),
    ("mobilenet_v1_0.25_224", "caffe", UNIT, TURNED),
    ("mobilenet_v1_1.0_224", "caffe", UNIT, TURNED),
    ("mobilenet_v2_1.0_224", "caffe", UNIT, TURNED),
]
# Name, preprocessing, images to calibrate on and to measure on (below images/).
OUTPUTS = [
    ("blazeface_short_range", UNIT, ["face/1.jpg", "face/10.jpg", "face/11.jpg", "face/12.jpg", "face/13.jpg"],
     ["face/15.jpg", "face/16.jpg", "face/17.jpg", "face/18.jpg", "face/19.jpg"]),
    ("face_landmark_192", ["--mean", "0,0,0", "--norm", "0.00392156863", "--pixel", "RGB"],
     ["face/1.jpg", "face/10.jpg", "face/11.jpg", "face/12.jpg", "face/13.jpg"],
     ["face/15.jpg", "face/16.jpg", "face/17.jpg", "face/18.jpg", "face/19.jpg"]),
    ("deeplabv3_mnv2_dm05_float_257", UNIT, "coco64_calib.txt", ["misc/cats_and_dogs.jpg", "misc/grace_hopper.bmp",
                                                                 "misc/bird_segmentation.bmp"]),
]
# Of presets: name, importer and its arguments, task, calib list, val list, labels (below images/; None = those of the list).
OTHERS = [
    ("ssd_mobilenet_v1_coco", "caffe", UNIT, "detect", "coco64_calib.txt", "coco64_val.txt", "coco64_rot180.json"),
    ("deeplabv3_mnv2_dm05_float_257", "onnx", UNIT, "segment", "coco64_calib.txt", "coco64_val.txt", None),
]
METRICS = {"classify": "top1", "detect": "map50", "segment": None}
TABLES = [("symmetric", ["--symmetric"]), ("affine", [])]


class Tools:
    """The commands of a build folder, run on files of a scratch folder."""

    def __init__(self, build, data, scratch, nets=()):
        self.bin, self.data, self.scratch, self.nets = build / "bin", data, scratch, nets

    def run(self, name, *arguments):
        command = [str(self.bin / name), "--quiet", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"error: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def import_net(self, name, kind, arguments):
        param, weights = self.scratch / f"{name}.param", self.scratch / f"{name}.bin"
        folder = self.data / "models" / kind / name
        if kind == "caffe":
            self.run("caffe2fw", folder / "deploy.prototxt", next(folder.glob("*.caffemodel")), param, weights, *arguments)
        else:
            self.run("onnx2fw", folder / f"{name}.onnx", param, weights, *arguments)
        return param, weights

    def calibrate(self, net, images, how, method):
        table = self.scratch / f"{net[0].stem}.table"
        self.run("calibrate", *net, "--images", images, "--out", table, "--method", method, *how)
        return table


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def top1(tools, method):
    rows = []
    for name, kind, arguments, (calib, val) in CLASSIFIERS:
        net = tools.import_net(name, kind, arguments)
        images = tools.data / "images" / val
        row = [name]
        for _, how in TABLES:
            table = tools.calibrate(net, tools.data / "images" / calib, how, method)
            result = tools.scratch / "result.json"
            tools.run("fweval", *net, "--images", images, "--labels", images, "--table", table, "--json", result)
            figures = json.loads(result.read_text())
            if len(row) == 1:
                row.append(f"{figures['float']['top1']:.1f}")
            drop = figures["float"]["top1"] - figures["int8"]["top1"]
            row += [f"{figures['int8']['top1']:.1f}", f"{drop:+.1f}", f"{figures['agreement']:.1f}",
                    f"{figures['sqnr_db']:.1f}"]
        rows.append(row)
    header = ["network", "float top-1"]
    for kind, _ in TABLES:
        header += [f"{kind} top-1", "drop", "agreement", "SQNR dB"]
    return markdown(header, rows)


def output_blobs(param):
    """Blobs that no layer reads, in the order of the file."""
    made, read = [], set()
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        inputs, outputs = int(words[2]), int(words[3])
        read.update(words[4:4 + inputs])
        made += words[4 + inputs:4 + inputs + outputs]
    return [blob for blob in made if blob not in read]


def decibels(pairs):
    signal = sum(float(np.sum(np.square(a, dtype=np.float64))) for a, _ in pairs)
    noise = sum(float(np.sum(np.square(a.astype(np.float64) - b))) for a, b in pairs)
    return 10 * np.log10(signal / noise) if noise > 0 else float("inf")


def sqnr(tools, method):
    rows = []
    for name, arguments, calib, measured in OUTPUTS:
        net = tools.import_net(name, "onnx", arguments)
        images = tools.data / "images"
        if isinstance(calib, str):
            source = images / calib
        else:
            source = tools.scratch / "calib.txt"
            source.write_text("".join(f"{images / image}\n" for image in calib))
        table = {kind: tools.calibrate(net, source, how, method).rename(tools.scratch / f"{name}.{kind}")
                 for kind, how in TABLES}
        for blob in output_blobs(net[0]):
            row = [name, blob]
            for kind, _ in TABLES:
                pairs = []
                for image in measured:
                    values = []
                    for precision in (["--precision", "float"], ["--precision", "int8", "--table", table[kind]]):
                        dump = tools.scratch / "dump.npy"
                        tools.run("fwrun", *net, images / image, "--output", blob, "--dump", dump, *precision)
                        values.append(np.load(dump))
                    pairs.append(values)
                row.append(f"{decibels(pairs):.1f}")
            rows.append(row)
    return markdown(["network", "output", "symmetric dB", "affine dB"], rows)


def float_layers(table):
    words = (line.split() for line in table.read_text().splitlines())
    return sum(line[0] == "layer" and line[2:] == ["float"] for line in words if line)


def landmarks(tools, net, table, measured):
    """Mean distance of the points, in the largest output, from the float network's in percent of the input's side."""
    distances = []
    for image in measured:
        points = []
        for precision in (["--precision", "float"], ["--precision", "int8", "--table", table]):
            outputs = []
            for blob in output_blobs(net[0]):
                dump = tools.scratch / "dump.npy"
                tools.run("fwrun", *net, image, "--output", blob, "--dump", dump, *precision)
                outputs.append(np.load(dump))
            points.append(max(outputs, key=lambda output: output.size).reshape(-1, 3)[:, :2])
        distances.append(np.linalg.norm(points[0] - points[1], axis=1).mean())
    return 100 * float(np.mean(distances)) / 192


def presets(tools, _method):
    images, rows = tools.data / "images", []
    nets = [(*net[:3], "classify", *net[3], net[3][1]) for net in CLASSIFIERS] + OTHERS
    for name, kind, arguments, task, calib, val, labels in nets:
        if tools.nets and name not in tools.nets:
            continue
        net = tools.import_net(name, kind, arguments)
        for preset in ("performance", "accuracy"):
            table, result = tools.scratch / f"{name}.table", tools.scratch / "result.json"
            tools.run("calibrate", *net, "--images", images / calib, "--out", table, "--preset", preset, "--task", task)
            truth = ["--labels", images / labels] if labels else ["--against", "float"]
            tools.run("fweval", *net, "--images", images / val, *truth, "--task", task, "--table", table, "--json", result)
            figures = json.loads(result.read_text())
            row = [name, preset, "", "", ""]
            if labels:
                was, is_now = (figures[side][METRICS[task]] for side in ("float", "int8"))
                row[2:] = [f"{was:.1f}", f"{is_now:.1f}", f"{is_now - was:+.1f}"]
            rows.append([*row, f"{figures['agreement']:.1f}", float_layers(table)])
    name, arguments, calib, measured = OUTPUTS[1]
    if not tools.nets or name in tools.nets:
        net = tools.import_net(name, "onnx", arguments)
        source = tools.scratch / "calib.txt"
        source.write_text("".join(f"{images / image}\n" for image in calib))
        for preset in ("performance", "accuracy"):
            table = tools.scratch / f"{name}.table"
            tools.run("calibrate", *net, "--images", source, "--out", table, "--preset", preset)
            off = landmarks(tools, net, table, [images / image for image in measured])
            rows.append([name, preset, "", "", "", f"points {off:.2f} % of the side off", float_layers(table)])
    return markdown(["network", "preset", "float", "int8", "difference", "agreement with float %", "float layers"], rows)


def zoo(tools, _method):
    result = tools.scratch / "zoo.json"
    tools.run("benchfw", "--int8", "--loops", "1", "--warmup", "0", "--json", result)
    rows = []
    for net in json.loads(result.read_text())["nets"]:
        arena, least = net["mem_mib"], net["least_mem_mib"]
        rows.append([net["name"], f"{arena:.3f}", f"{least:.3f}", f"{arena / least:.3f}", net["conversions"]])
    return markdown(["network", "arena MiB", "least MiB", "ratio", "conversions"], rows)


PARTS = {"top1": top1, "sqnr": sqnr, "presets": presets, "zoo": zoo}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("FW_DATA"), help="real models and images (default: FW_DATA)")
    parser.add_argument("--build", default="build", help="build folder (default: build)")
    parser.add_argument("--only", default="top1,sqnr,zoo", help="parts, separated by commas (default: all but presets)")
    parser.add_argument("--method", default="kl", help="calibration method (default: kl)")
    parser.add_argument("--nets", default="", help="networks of the part presets, separated by commas (default: all)")
    parser.add_argument("--markdown", help="write the tables to this file too")
    options = parser.parse_args()
    parts = options.only.split(",")
    for part in parts:
        if part not in PARTS:
            parser.error(f"--only: '{part}' is none of {', '.join(PARTS)}")
        if part != "zoo" and (options.data is None or not os.path.isdir(options.data)):
            parser.error("the folder of models and images is missing: --data or FW_DATA")
    text = ""
    with tempfile.TemporaryDirectory() as scratch:
        tools = Tools(pathlib.Path(options.build).resolve(), pathlib.Path(options.data or "."), pathlib.Path(scratch),
                      [name for name in options.nets.split(",") if name])
        for part in parts:
            section = f"## {part}\n\n{PARTS[part](tools, options.method)}\n"
            print(section, flush=True)
            text += section
    if options.markdown:
        target = pathlib.Path(options.markdown)
        beside = target.with_name(target.name + ".part")
        beside.write_text(text)
        beside.replace(target)


if __name__ == "__main__":
    sys.exit(main())
