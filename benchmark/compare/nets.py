"""Networks to compare: what `zoo_export` writes (NAME.param, NAME.bin, NAME.onnx, NAME.json) and seeded images."""
import json
import pathlib
from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Net:
    """One network in every form that a peer may want. Shapes are CHW without a batch."""
    name: str
    folder: pathlib.Path
    inputs: dict  # name -> shape
    outputs: tuple  # blobs that every engine computes: detection tails are cut
    macs: int

    def file(self, suffix):
        return self.folder / (self.name + suffix)


def load_net(folder, name):
    description = json.loads((folder / (name + ".json")).read_text())
    inputs = {entry["name"]: tuple(entry["shape"]) for entry in description["inputs"]}
    outputs = tuple(entry["name"] for entry in description["outputs"])
    return Net(name, folder, inputs, outputs, int(description.get("macs", 0)))


def list_nets(folder, wanted):
    """The networks of a folder, all or those named; an unknown name is an error that lists the known ones."""
    known = sorted(path.stem for path in folder.glob("*.json") if path.with_suffix(".param").exists())
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"no network '{unknown[0]}' in {folder}; there are: {', '.join(known) or 'none'}")
    return [load_net(folder, name) for name in wanted or known]


def seeded_image(shape, seed):
    """Something between a photograph and noise, about N(0, 1): smooth blobs, edges and grain. float32, CHW."""
    rng = numpy.random.default_rng(seed)
    channels, height, width = shape if len(shape) == 3 else (1, 1, int(numpy.prod(shape)))
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float32)
    image = numpy.zeros((channels, height, width), numpy.float32)
    for _ in range(6):
        wave = rng.uniform(-0.15, 0.15, 2)
        colour = rng.normal(size=(channels, 1, 1))
        image += colour * numpy.sin(wave[0] * y + wave[1] * x + rng.uniform(0, 6.28))
    edge = (x * rng.normal() + y * rng.normal()) > rng.normal() * width / 4
    image += rng.normal(size=(channels, 1, 1)) * edge + 0.3 * rng.normal(size=image.shape)
    image = (image - image.mean()) / (image.std() + 1e-6)
    return numpy.ascontiguousarray(image.reshape(shape), numpy.float32)


def seeded_inputs(net, seed):
    return {name: seeded_image(shape, seed * 100 + i) for i, (name, shape) in enumerate(net.inputs.items())}
