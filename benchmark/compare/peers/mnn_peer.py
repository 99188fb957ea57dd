"""MNN: converted and quantized (KL) by the tools of its wheel."""
import json
import subprocess
import sys

import numpy

import MNN
from . import Missing

NAME = "mnn"


def version():
    return MNN.version() if callable(getattr(MNN, "version", None)) else MNN.__version__


def tool(function, *arguments):
    """Runs a function of the wheel's tools in a process of its own, since they end the process where they fail. Their
    command lines are not used: those install packages and report to a server."""
    code = f"import sys, MNN, _tools; _tools.{function}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{function.split('(')[0]}: " + (done.stderr.strip().splitlines() or ["failed"])[-1].strip())


def prepare(net, precision, images, folder):
    if not net.file(".onnx").exists():
        raise Missing(f"{net.name}.onnx does not exist")
    converted = folder / (net.name + ".mnn")
    tool("mnnconvert(['mnnconvert'] + sys.argv[1:])", "-f", "ONNX", "--modelFile", net.file(".onnx"), "--MNNModel",
         converted, "--bizCode", "fw")
    if not converted.exists():
        raise Missing("mnnconvert wrote no model")
    if precision == "float":
        return converted
    if len(net.inputs) != 1:
        raise Missing("several inputs")
    samples = folder / "sequence"
    (name, _), = net.inputs.items()
    for i, inputs in enumerate(images):
        sample = samples / str(i)
        sample.mkdir(parents=True, exist_ok=True)
        numpy.savetxt(sample / (name + ".txt"), inputs[name].reshape(-1), fmt="%.6g")
        (sample / "input.json").write_text(json.dumps({"inputs": [{"name": name, "shape": [1, *inputs[name].shape]}],
                                                       "outputs": list(net.outputs)}))
    config, quantized = folder / "quantize.json", folder / (net.name + ".int8.mnn")
    config.write_text(json.dumps({"path": str(samples) + "/", "used_sample_num": len(images), "input_type": "sequence",
                                  "feature_quantize_method": "KL", "weight_quantize_method": "MAX_ABS",
                                  "batch_size": 1}))
    tool("mnnquant(['mnnquant'] + sys.argv[1:])", converted, quantized, config)
    if not quantized.exists():
        raise Missing("mnnquant wrote no model")
    return quantized


class Session:
    def __init__(self, net, prepared, precision, threads):
        self.net = net
        self.engine = MNN.Interpreter(str(prepared))
        self.session = self.engine.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})

    def feed(self, inputs):
        for name, data in inputs.items():
            batch = data[None]
            tensor = MNN.Tensor(batch.shape, MNN.Halide_Type_Float, batch, MNN.Tensor_DimensionType_Caffe)
            self.engine.getSessionInput(self.session, name).copyFrom(tensor)

    def run(self, inputs):
        self.feed(inputs)
        self.engine.runSession(self.session)
        for name in self.net.outputs:
            self.read(name)

    def read(self, name):
        value = self.engine.getSessionOutput(self.session, name)
        shape = value.getShape()
        host = MNN.Tensor(shape, MNN.Halide_Type_Float, numpy.zeros(shape, numpy.float32),
                          MNN.Tensor_DimensionType_Caffe)
        value.copyToHostTensor(host)
        return host

    def outputs(self, inputs):
        self.run(inputs)
        result = {}
        for name in self.net.outputs:
            host = self.read(name)
            result[name] = numpy.array(host.getNumpyData()).reshape(host.getShape())
        return result
