"""LiteRT (TensorFlow Lite). Its wheel runs .tflite files but makes none from ONNX: a NAME.tflite (or NAME.int8.tflite)
beside the network is run if there is one."""
from ai_edge_litert import interpreter as litert
import ai_edge_litert
import numpy

from . import Missing

NAME = "litert"


def version():
    return getattr(ai_edge_litert, "__version__", "unknown")


def prepare(net, precision, images, folder):
    path = net.file(".tflite" if precision == "float" else ".int8.tflite")
    if not path.exists():
        raise Missing(f"{path.name} does not exist (no converter from ONNX in the wheel)")
    return path


class Session:
    def __init__(self, net, prepared, precision, threads):
        self.engine = litert.Interpreter(model_path=str(prepared), num_threads=threads)
        self.engine.allocate_tensors()
        self.net = net

    def run(self, inputs):
        for detail, data in zip(self.engine.get_input_details(), inputs.values()):
            batch = data[None]
            if tuple(detail["shape"]) != batch.shape:
                batch = numpy.moveaxis(batch, 1, -1)
            self.engine.set_tensor(detail["index"], numpy.ascontiguousarray(batch, detail["dtype"]))
        self.engine.invoke()
        return [self.engine.get_tensor(detail["index"]) for detail in self.engine.get_output_details()]

    def outputs(self, inputs):
        return dict(zip(self.net.outputs, self.run(inputs)))
