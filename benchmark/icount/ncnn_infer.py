"""What icount_ncnn.py counts the instructions of, within the emulator: ncnn_infer.py NET.param NET.bin INFERENCES

The network's inputs carry their shapes (keys 0, 1, 2), as the files of zoo_export do. One thread, no Vulkan; all else is
as ncnn sets it: half floats where the processor has them."""
import sys

import ncnn
import numpy


def blobs(param):
    """(shapes of inputs by name, names of outputs)"""
    inputs, made, used = {}, [], set()
    for line in open(param, encoding="utf-8").read().splitlines()[2:]:
        fields = line.split()
        bottoms, tops = int(fields[2]), int(fields[3])
        used.update(fields[4:4 + bottoms])
        made += fields[4 + bottoms:4 + bottoms + tops]
        if fields[0] == "Input":
            keys = dict(field.split("=", 1) for field in fields[5:])
            inputs[fields[4]] = [int(keys[key]) for key in ("2", "1", "0")]
    return inputs, [name for name in made if name not in used]


def main():
    param, weights, inferences = sys.argv[1:]
    inputs, outputs = blobs(param)
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    if net.load_param(param) != 0 or net.load_model(weights) != 0:
        sys.exit(f"{param}: ncnn cannot load it")
    data = {name: numpy.full(shape, 0.5, numpy.float32) for name, shape in inputs.items()}
    for _ in range(int(inferences)):
        extractor = net.create_extractor()
        for name, values in data.items():
            extractor.input(name, ncnn.Mat(values))
        for name in outputs:
            status, _ = extractor.extract(name)
            if status != 0:
                sys.exit(f"extracting '{name}' fails with {status}")
    print(ncnn.__version__)


main()
