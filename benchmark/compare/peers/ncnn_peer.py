"""ncnn from its own file format, which is Featherweight's too. int8 models are written by fwopt from a symmetric KL
table: ncnn's wheel brings no quantizer, and scales do not change its speed."""
import subprocess

import ncnn
import numpy

from . import Missing, featherweight

NAME = "ncnn"


def version():
    return ncnn.__version__


def run_tool(name, *arguments):
    tool = featherweight.build_folder() / "bin" / name
    if not tool.exists():
        raise Missing(f"{tool} does not exist")
    done = subprocess.run([str(tool), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{name}: " + (done.stderr.strip().splitlines() or ["failed"])[-1])


def prepare(net, precision, images, folder):
    if precision == "float":
        return net.file(".param"), net.file(".bin")
    featherweight.prepare(net, precision, images, folder)  # leaves the images
    table = folder / (net.name + ".legacy.table")
    run_tool("calibrate", net.file(".param"), net.file(".bin"), "--images", folder / "images", "--out", table,
             "--format", "legacy", "--quiet")
    param, weights = folder / (net.name + ".int8.param"), folder / (net.name + ".int8.bin")
    run_tool("fwopt", net.file(".param"), net.file(".bin"), param, weights, "--int8", table)
    return param, weights


class Session:
    def __init__(self, net, prepared, precision, threads):
        self.net = net
        self.engine = ncnn.Net()
        self.engine.opt.num_threads = threads
        self.engine.opt.use_vulkan_compute = False
        if self.engine.load_param(str(prepared[0])) != 0 or self.engine.load_model(str(prepared[1])) != 0:
            raise Missing("cannot load the network")

    def extract(self, inputs):
        extractor = self.engine.create_extractor()
        for name, data in inputs.items():
            extractor.input(name, ncnn.Mat(data))
        for name in self.net.outputs:
            status, value = extractor.extract(name)
            if status != 0:
                raise Missing(f"extracting '{name}' fails with {status}")
            yield name, value

    def run(self, inputs):
        for _ in self.extract(inputs):
            pass

    def outputs(self, inputs):
        return {name: numpy.array(value) for name, value in self.extract(inputs)}
