#!/usr/bin/env python3
"""Networks of torchvision through onnx2fw: exported with random weights, converted, compared.

    torchvision_nets.py export DIR            needs torch and torchvision: DIR/NAME.onnx, NAME.input.npy, NAME.OUTPUT.npy
    torchvision_nets.py check DIR BIN_DIR     needs numpy: converts and runs them, prints the differences; exit 1 beyond 1e-4 of the largest value
    torchvision_nets.py skeletons DIR OUT_DIR needs onnx and onnxruntime: the networks of DIR/small without their weights

`export` also writes small variants (small pictures; a narrow vision transformer) to DIR/small. `skeletons` takes the weights out of those,
puts numbers in their place that any program can make (numbers() below, tests/onnx2fw/skeleton_test.cpp) and stores what onnxruntime
answers: tests/onnx2fw/torchvision holds the result, so that no test needs torch.
"""
import pathlib
import subprocess
import sys

import numpy as np

SEED = 20240607
TOLERANCE = 1e-4  # of the largest value
KEPT = 16  # initializers of up to so many elements keep their values: scalars, shapes


# --- export ---------------------------------------------------------------------------------------------------------------

def detector(torch, model):
    """An SSD up to its head: boxes and logits of every anchor."""

    class Head(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = model.backbone, model.head

        def forward(self, x):
            out = self.head(list(self.backbone(x).values()))
            return out["bbox_regression"], out["cls_logits"]

    return Head()


def segmenter(torch, model):
    class Out(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model(x)["out"]

    return Out()


def networks(small):
    """Name, module, side of the input picture, names of the outputs."""
    import torch
    from torchvision import models
    from torchvision.models import detection, segmentation
    classifiers = {"resnet18": 64, "mobilenet_v2": 64, "mobilenet_v3_large": 64, "shufflenet_v2_x1_0": 64, "squeezenet1_1": 64,
                   "efficientnet_b0": 64}
    for name, side in classifiers.items():
        torch.manual_seed(SEED)
        yield name, getattr(models, name)(weights=None), side if small else 224, ["logits"]
    torch.manual_seed(SEED)
    yield ("deeplabv3_mobilenet_v3_large",
           segmenter(torch, segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)), 65 if small else 224, ["out"])
    torch.manual_seed(SEED)
    yield ("ssdlite320_mobilenet_v3",
           detector(torch, detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)), 96 if small else 320,
           ["boxes", "scores"])
    torch.manual_seed(SEED)
    if small:
        vit = models.VisionTransformer(image_size=64, patch_size=16, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128)
        torch.nn.init.normal_(vit.heads[0].weight)  # zeros otherwise
    else:
        vit = models.vit_b_16(weights=None)
        torch.nn.init.normal_(vit.heads[0].weight)
    yield "vit_b_16", vit, 64 if small else 224, ["logits"]


def export(folder):
    import torch
    for small in (False, True):
        out = folder / "small" if small else folder
        out.mkdir(parents=True, exist_ok=True)
        for name, model, side, outputs in networks(small):
            x = torch.rand(8, 3, side, side) * 2 - 1
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = 1.0
            with torch.no_grad():
                model.train()(x)  # statistics of these pictures: with others the signal fades from layer to layer
                x = x[:1].contiguous()
                y = model.eval()(x)
            torch.onnx.export(model, x, out / f"{name}.onnx", opset_version=13, input_names=["image"], output_names=outputs)
            np.save(out / f"{name}.input.npy", x.numpy()[0])
            for blob, value in zip(outputs, y if isinstance(y, tuple) else [y]):
                np.save(out / f"{name}.{blob}.npy", value.numpy())
            print(out / f"{name}.onnx")


# --- check ----------------------------------------------------------------------------------------------------------------

def difference(got, want):
    """Largest difference as a part of the largest value."""
    return float(np.abs(got.ravel().astype(np.float64) - want.ravel()).max() / np.abs(want).max())


def check(folder, binaries):
    bad = 0
    for path in sorted(folder.glob("*.onnx")):
        stem = path.with_suffix("")
        param, weights = stem.with_suffix(".param"), stem.with_suffix(".bin")
        done = subprocess.run([binaries / "onnx2fw", path, param, weights, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{path.name}: {done.stderr.strip()}")
            bad += 1
            continue
        permutes = sum(line.startswith("Permute ") for line in param.read_text().splitlines())
        for want in sorted(folder.glob(f"{stem.name}.*.npy")):
            blob = want.name[len(stem.name) + 1:-len(".npy")]
            if blob in ("input", "got"):
                continue
            got = folder / f"{stem.name}.got.npy"
            subprocess.run([binaries / "fwrun", param, weights, "--input", folder / f"{stem.name}.input.npy", "--output", blob,
                            "--dump", got, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            worst = difference(np.load(got), np.load(want))
            bad += not worst <= TOLERANCE
            print(f"{stem.name:32} {blob:8} {worst:.1e} of the largest value, {permutes} Permutes")
    return 1 if bad else 0


# --- skeletons ------------------------------------------------------------------------------------------------------------

def numbers(seed, count):
    """SplitMix64's output 1, 2 ... of a seed as multiples of 2^-24 in [0, 1)."""
    state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2 ** 24


def made_weight(name, dims):
    """bN: -0.1 to 0.1; sN: 0.5 to 1.5; else He's uniform distribution over the fan-in: kN of kernels, gN of kernels before gates, which take
    more (a third more variance), vN and wN of matrices whose rows are outputs and inputs. N is the seed."""
    count = int(np.prod(dims))
    u = numbers(int(name[1:]), count)
    if name[0] == "b":
        values = 0.2 * u - 0.1
    elif name[0] == "s":
        values = 0.5 + u
    else:
        fan_in = dims[0] if name[0] == "w" else count // dims[0]
        values = np.sqrt((8.0 if name[0] == "g" else 6.0) / fan_in) * (2 * u - 1)
    return values.astype(np.float32).reshape(dims)


def kind(graph, tensor):
    """The letter that made_weight() goes by."""
    if len(tensor.dims) == 2:
        transposed = any(a.name == "transB" and a.i for n in graph.node if tensor.name in n.input for a in n.attribute)
        return "v" if transposed else "w"
    if len(tensor.dims) == 4:
        return "k" if any(n.op_type in ("Relu", "Clip", "HardSwish") for n in graph.node) else "g"
    for node in graph.node:
        if tensor.name in node.input:
            place = list(node.input).index(tensor.name)
            if node.op_type == "Mul" or (node.op_type == "BatchNormalization" and place in (1, 4)):
                return "s"
    return "b"


def skeleton(path, out):
    import onnx
    import onnxruntime
    from onnx import numpy_helper
    model = onnx.load(path)
    graph = model.graph
    rename = {graph.input[0].name: "x", **{v.name: v.name for v in graph.output}}
    graph.input[0].name = "x"
    for node in graph.node:  # names alone were half of the file
        for k, name in enumerate(node.output):
            node.output[k] = rename.setdefault(name, f"t{len(rename)}") if name else ""
    stripped = []
    for k, tensor in enumerate(graph.initializer):
        made = tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) > KEPT
        rename[tensor.name] = new = f"{kind(graph, tensor) if made else 'c'}{k}"
        if made:
            tensor.CopyFrom(numpy_helper.from_array(made_weight(new, list(tensor.dims)), new))
            stripped.append(tensor)
        tensor.name = new
    for node in graph.node:
        node.name = node.doc_string = ""
        for k, name in enumerate(node.input):
            node.input[k] = rename[name] if name else ""
    del graph.value_info[:]
    image = graph.input[0]
    dims = [d.dim_value for d in image.type.tensor_type.shape.dim]
    x = (2 * numbers(1, int(np.prod(dims))) - 1).astype(np.float32).reshape(dims)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [o.name for o in graph.output]
    others = session.run(names, {image.name: -x})
    for name, value, other in zip(names, session.run(names, {image.name: x}), others):
        flat = value.ravel()
        moved = np.abs(value - other).max() / np.abs(value).max()
        if moved < 0.05:
            raise SystemExit(f"{path.stem}: {name} hardly depends on the picture ({moved:.3f} of the largest value)")
        # A few hundred places of a large map are enough.
        step = max(1, flat.size // 500)
        np.save(out / f"{path.stem}.{name}.npy", flat[::step].astype(np.float32))
        print(f"{path.stem}: {name} {value.shape}, largest {np.abs(flat).max():.3g}, {moved:.2f} of that from the picture, every {step}th kept")
    for tensor in stripped:
        tensor.raw_data = b""
    (out / f"{path.stem}.onnx").write_bytes(model.SerializeToString())


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "export":
        return export(pathlib.Path(sys.argv[2]))
    if len(sys.argv) == 4 and sys.argv[1] == "check":
        return check(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve())
    if len(sys.argv) == 4 and sys.argv[1] == "skeletons":
        for path in sorted((pathlib.Path(sys.argv[2]) / "small").glob("*.onnx")):
            skeleton(path, pathlib.Path(sys.argv[3]))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
