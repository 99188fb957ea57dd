"""OpenVINO, latency hint, int8 by NNCF's post-training quantization (mixed preset, its default bias correction)."""
import numpy
import openvino

from . import Missing

NAME = "openvino"


def version():
    return openvino.__version__.split("-")[0]


def prepare(net, precision, images, folder):
    model_file = net.file(".onnx")
    if not model_file.exists():
        raise Missing(f"{model_file.name} does not exist")
    if precision == "float":
        return model_file
    try:
        import nncf
    except ImportError as error:
        raise Missing(f"nncf is not installed ({error})") from error
    model = openvino.Core().read_model(model_file)
    batches = [{name: data[None] for name, data in inputs.items()} for inputs in images]
    quantized = nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))
    path = folder / (net.name + ".xml")
    openvino.save_model(quantized, str(path), compress_to_fp16=False)
    return path


class Session:
    def __init__(self, net, prepared, precision, threads):
        core = openvino.Core()
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        if precision == "float":
            config["INFERENCE_PRECISION_HINT"] = "f32"  # not bf16, which it takes by itself where the CPU has it
        self.net = net
        self.compiled = core.compile_model(str(prepared), "CPU", config)
        self.request = self.compiled.create_infer_request()

    def run(self, inputs):
        self.request.infer({name: data[None] for name, data in inputs.items()}, share_inputs=True)

    def outputs(self, inputs):
        self.run(inputs)
        return {name: numpy.array(self.request.get_tensor(name).data) for name in self.net.outputs}
