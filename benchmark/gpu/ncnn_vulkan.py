#!/usr/bin/env python3
"""Times of ncnn on a Vulkan device, for benchmark/gpu.sh: networks as zoo_export writes them, batch 1, results on the CPU.
float is float32 throughout, fp16 float16 storage and arithmetic where the device has them. int8 is the model that fwopt
writes for ncnn, with the Vulkan option on: which of its layers ncnn then runs on the device is ncnn's choice.

    benchmark/gpu/ncnn_vulkan.py build/zoo --nets squeezenet_v1_1,resnet50 --json ncnn.json
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compare"))
import nets  # noqa: E402
from peers import Missing, ncnn_peer  # noqa: E402


def load(ncnn, files, precision, device):
    engine = ncnn.Net()
    engine.opt.use_vulkan_compute = True
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(engine.opt, option, precision == "fp16")
    engine.set_vulkan_device(device)
    if engine.load_param(str(files[0])) != 0 or engine.load_model(str(files[1])) != 0:
        raise Missing("cannot load the network")
    return engine


def infer(ncnn, engine, net, inputs):
    extractor = engine.create_extractor()
    for name, data in inputs.items():
        extractor.input(name, ncnn.Mat(data))
    for name in net.outputs:
        status, _ = extractor.extract(name)
        if status != 0:
            raise Missing(f"extracting '{name}' fails with {status}")


def measure(ncnn, net, files, precision, options):
    begin = time.perf_counter()
    engine = load(ncnn, files, precision, options.device)
    loaded = time.perf_counter()
    inputs = nets.seeded_inputs(net, 1)
    infer(ncnn, engine, net, inputs)
    first = time.perf_counter()
    times = []
    end = time.perf_counter() + options.seconds
    while len(times) < (options.loops or 5) or (not options.loops and time.perf_counter() < end):
        start = time.perf_counter()
        infer(ncnn, engine, net, inputs)
        times.append((time.perf_counter() - start) * 1e3)
    return {"name": net.name, "precision": precision, "load_ms": (loaded - begin) * 1e3, "first_ms": (first - loaded) * 1e3,
            "min_ms": min(times), "med_ms": statistics.median(times), "loops": len(times)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--nets", default="", help="NAME,.. (default: all of the folder)")
    parser.add_argument("--precisions", default="float,fp16,int8")
    parser.add_argument("--device", type=int, default=None, help="ncnn's number of the device (default: its own choice)")
    parser.add_argument("--loops", type=int, default=0, help="inferences of each network, instead of --seconds")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    import ncnn
    if ncnn.get_gpu_count() == 0:
        print("error: ncnn sees no Vulkan device", file=sys.stderr)
        return 1
    if options.device is None:
        options.device = ncnn.get_default_gpu_index()
    report = {"version": ncnn.__version__, "device": ncnn.get_gpu_info(options.device).device_name(), "nets": []}
    results = report["nets"]
    for net in nets.list_nets(options.folder, [name for name in options.nets.split(",") if name]):
        for precision in options.precisions.split(","):
            try:
                with tempfile.TemporaryDirectory() as folder:
                    images = [nets.seeded_inputs(net, seed) for seed in range(2, 6)]
                    files = ncnn_peer.prepare(net, "int8" if precision == "int8" else "float", images, pathlib.Path(folder))
                    results.append(measure(ncnn, net, files, precision, options))
                print(f"ncnn {net.name} {precision}: min {results[-1]['min_ms']:.2f} ms", flush=True)
            except Missing as error:
                print(f"ncnn {net.name} {precision}: {error}")
            options.json.write_text(json.dumps(report, indent=1) + "\n")  # what there is, should the next one crash
    return 0


if __name__ == "__main__":
    sys.exit(main())
