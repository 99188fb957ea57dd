#!/usr/bin/env python3
"""How often a network that onnxruntime quantized (QDQ) answers here as it does there.

    quantized_agreement.py NET BIN_DIR [--images 300] [--photographs FOLDER]

NET is an ONNX file with one float input (torchvision_nets.py export makes some), or a .param file of a classifier beside its .bin. onnxruntime's static quantizer calibrates it on 32 random images; then both engines run other ones,
 ours through onnx2fw and its table. The file's output has 256 levels; ours, a float, is rounded to them first, so that of classes with the same level the first counts on both sides.
Prints per setting of the quantizer: the same class in percent, output bytes that are equal or at most one apart, the signal-to-noise ratio of our outputs to
onnxruntime's and, to compare, of onnxruntime's int8 to its float; and what the same network gives when onnxruntime computes every node as the file has it, its int8 kernels
left out: how often that is our class, and how often that of those kernels; and ours beside its int8 kernels for every node, which it takes by itself on ARM only
(session.qdqisint8allowed): elsewhere it computes parts of a network of int8 blobs in float32. Exit 1 where ours agrees with them in less than 99 % and less often than they do themselves.

On processors without VNNI onnxruntime's kernels add pairs of products in 16 bits, which full 8-bit weights overflow; its quantizer's answer, taken here too, is weights of 7 bits.
Needs numpy, onnx, onnxruntime.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization as q

CALIBRATION = 32
REDUCED = "vnni" not in pathlib.Path("/proc/cpuinfo").read_text()  # 7-bit weights
SETTINGS = {
    "int8, per tensor": dict(activation_type=q.QuantType.QInt8, weight_type=q.QuantType.QInt8),
    "int8, per channel": dict(activation_type=q.QuantType.QInt8, weight_type=q.QuantType.QInt8, per_channel=True),
    "uint8, per channel": dict(activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8, per_channel=True),
    "int8 symmetric, per channel": dict(activation_type=q.QuantType.QInt8, weight_type=q.QuantType.QInt8, per_channel=True,
                                        extra_options={"ActivationSymmetric": True}),
}


def pictures(random, dims, count):
    """Random images with the spectrum of photographs: noise of every scale from 2 x 2 points on, each as strong as the next."""
    height, width = dims[-2:]
    for _ in range(count):
        image = np.zeros(dims)
        for scale in (2, 4, 7, 14, 28, 56, 112):
            rows, cols = np.arange(height) * scale // height, np.arange(width) * scale // width
            noise = random.normal(0, 1, (1, 1, scale, scale)) + 0.5 * random.normal(0, 1, (1, dims[1], scale, scale))
            image += noise[:, :, rows][:, :, :, cols]
        yield np.ascontiguousarray(np.clip(0.25 * image, -1, 1), dtype=np.float32)


def onnx_of(param, weights):
    """The network of a .param file of convolutions, sums, global pooling and Softmax, with its weights: the real networks at hand are Caffe's."""
    helper, data, at = onnx.helper, np.frombuffer(pathlib.Path(weights).read_bytes(), np.float32), 0
    nodes, tensors, shape, names, last = [], [], None, {}, None
    for line in pathlib.Path(param).read_text().splitlines()[2:]:
        kind, name, bottoms, tops, *rest = line.split()
        inputs, outputs = rest[:int(bottoms)], rest[int(bottoms):int(bottoms) + int(tops)]
        keys = {}
        for pair in rest[int(bottoms) + int(tops):]:
            key, value = pair.split("=")
            keys[int(key) if int(key) >= 0 else -23300 - int(key)] = value if int(key) >= 0 else value.split(",")[1:]
        number = lambda key, default=0: int(keys.get(key, default))
        inputs = [names.get(i, i) for i in inputs]
        last = outputs[0]
        if kind == "Input":
            shape, image = [1, number(2), number(1), number(0)], outputs[0]
        elif kind == "Split":
            names.update({top: inputs[0] for top in outputs})
        elif kind in ("Convolution", "ConvolutionDepthWise", "InnerProduct"):
            flat, out = kind == "InnerProduct", number(0)
            count = number(2 if flat else 6)
            side, group = number(1, 1), number(7, 1)
            dims = [out, count // out] if flat else [out, count // out // side ** 2, side, side]
            at += 1  # the tag
            tensors.append(onnx.numpy_helper.from_array(data[at:at + count].reshape(dims).copy(), name + ".w"))
            at += count
            inputs.append(name + ".w")
            if number(1 if flat else 5):
                tensors.append(onnx.numpy_helper.from_array(data[at:at + out].copy(), name + ".b"))
                at += out
                inputs.append(name + ".b")
            activation = number(9)
            raw = outputs[0] + ("_raw" if activation else "")
            if flat:
                nodes.append(helper.make_node("Flatten", inputs[:1], [name + "_flat"]))
                nodes.append(helper.make_node("Gemm", [name + "_flat"] + inputs[1:], [raw], transB=1))
            else:
                pads = [number(4)] * 4
                nodes.append(helper.make_node("Conv", inputs, [raw], name, kernel_shape=[side] * 2, strides=[number(3, 1)] * 2, pads=pads, group=group))
            if activation == 1:
                nodes.append(helper.make_node("Relu", [raw], outputs))
            elif activation == 3:
                bounds = [f"{name}.{k}" for k in ("low", "high")]
                tensors += [onnx.numpy_helper.from_array(np.float32(v), b) for v, b in zip(keys[10], bounds)]
                nodes.append(helper.make_node("Clip", [raw] + bounds, outputs))
        elif kind in ("Eltwise", "BinaryOp"):
            nodes.append(helper.make_node("Add", inputs, outputs))
        elif kind == "Pooling" and number(4):
            nodes.append(helper.make_node("GlobalAveragePool", inputs, outputs))
        elif kind == "Softmax":
            last = inputs[0]  # the scores before it: float there, and of the same order
        else:
            raise SystemExit(f"{param}: {kind} is not known here")
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info(image, onnx.TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def photographs(args, names, work):
    """Photographs as the network's input: what the .param file stores of preprocessing is applied."""
    blob = next(line.split()[4] for line in pathlib.Path(args.net).read_text().splitlines() if line.startswith("Input "))
    for name in names:
        subprocess.run([args.binaries / "fwrun", args.net, pathlib.Path(args.net).with_suffix(".bin"), args.photographs / name, "--output", blob,
                        "--dump", work / "photo.npy", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        yield np.ascontiguousarray(np.load(work / "photo.npy").reshape((1, -1) + np.load(work / "photo.npy").shape[-2:]))


class Reader(q.CalibrationDataReader):
    def __init__(self, name, images):
        self.items = iter([{name: image} for image in images])

    def get_next(self):
        return next(self.items, None)


def output_step(graph, output):
    """The real value of a level of the output: the scale of the DequantizeLinear that gives it."""
    scale = next(n.input[1] for n in graph.node if output in n.output)
    return float(onnx.numpy_helper.to_array(next(t for t in graph.initializer if t.name == scale)))


def sqnr(reference, other):
    return 10 * np.log10((reference ** 2).sum() / max(((reference - other) ** 2).sum(), 1e-30))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net")
    parser.add_argument("binaries", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--photographs", type=pathlib.Path, help="a folder of images, for a .param file that stores its preprocessing")
    args = parser.parse_args()
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        ready = work / "ready.onnx"
        source = str(work / "net.onnx") if args.net.endswith(".param") else args.net
        if source != args.net:
            onnx.save(onnx_of(args.net, pathlib.Path(args.net).with_suffix(".bin")), source)
        q.shape_inference.quant_pre_process(source, str(ready), skip_symbolic_shape=True)  # the shapes are fixed
        model = onnx.load(ready)
        graph = model.graph
        name, dims = graph.input[0].name, [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
        output = graph.output[0].name
        random = np.random.RandomState(7)
        if args.photographs:
            names = sorted(p.name for p in args.photographs.iterdir())
            random.shuffle(names)
            calibration = list(photographs(args, names[:CALIBRATION], work))
            images = list(photographs(args, names[CALIBRATION:CALIBRATION + args.images], work))
        else:
            calibration = list(pictures(random, dims, CALIBRATION))
            images = list(pictures(random, dims, args.images))
        args.images = len(images)
        files = [work / f"{k:04}.npy" for k in range(args.images)]
        for file, image in zip(files, images):
            np.save(file, image[0])
        floats = np.concatenate([onnxruntime.InferenceSession(str(ready)).run([output], {name: image})[0].reshape(1, -1) for image in images[:50]])
        print(f"{pathlib.Path(args.net).name}: {args.images} images, {len(set(floats.argmax(1)))} classes in the first 50")
        for label, setting in SETTINGS.items():
            quantized = work / "q.onnx"
            q.quantize_static(str(ready), str(quantized), Reader(name, calibration), quant_format=q.QuantFormat.QDQ, reduce_range=REDUCED, **setting)
            session = onnxruntime.InferenceSession(str(quantized))
            theirs = np.concatenate([session.run([output], {name: image})[0].reshape(1, -1) for image in images])
            kernels = onnxruntime.SessionOptions()
            kernels.add_session_config_entry("session.qdqisint8allowed", "1")
            session = onnxruntime.InferenceSession(str(quantized), kernels)
            whole = np.concatenate([session.run([output], {name: image})[0].reshape(1, -1) for image in images])
            plain = onnxruntime.SessionOptions()
            plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = onnxruntime.InferenceSession(str(quantized), plain)
            step = output_step(onnx.load(quantized).graph, output)
            levels = lambda values: np.rint(values / step).astype(int)
            written = levels(np.concatenate([session.run([output], {name: image})[0].reshape(1, -1) for image in images])).argmax(1)
            subprocess.run([args.binaries / "onnx2fw", quantized, work / "q.param", work / "q.bin", "--quiet", "--pixel", "RGB"], check=True)
            run = [args.binaries / "fwrun", work / "q.param", work / "q.bin", "--table", work / "q.table", "--precision", "int8", "--output", output,
                   "--quiet"]
            ours = []
            for file in files:
                subprocess.run(run + ["--input", file, "--dump", work / "out.npy"], check=True, stdout=subprocess.DEVNULL)
                ours.append(np.load(work / "out.npy").ravel())
            apart = np.abs(levels(np.array(ours)) - levels(theirs))
            classes, best = levels(np.array(ours)).argmax(1), levels(theirs).argmax(1)
            same = 100.0 * (classes == best).mean()
            loss = 100.0 * (floats.argmax(1) == best[:50]).mean()
            own = 100.0 * (written == best).mean()
            bad = bad or same < min(99.0, own)
            print(f"{label:30} same class {same:6.2f} %   bytes equal {100.0 * (apart == 0).mean():.1f} %, within one {100.0 * (apart < 2).mean():.1f} %   "
                  f"ours to theirs {sqnr(theirs, np.array(ours)):5.1f} dB   "
                  f"theirs to float {sqnr(floats, theirs[:50]):5.1f} dB, same class {loss:.0f} %   "
                  f"int8 kernels throughout: same class {100.0 * (classes == levels(whole).argmax(1)).mean():.2f} %, "
                  f"bytes equal {100.0 * (levels(np.array(ours)) == levels(whole)).mean():.1f} %   "
                  f"as written: ours {100.0 * (classes == written).mean():.2f} %, theirs {own:.2f} %", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
