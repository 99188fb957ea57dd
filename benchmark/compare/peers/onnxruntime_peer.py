"""onnxruntime: its own static quantizer, QDQ with u8 activations and s8 weights a channel, min-max."""
import onnxruntime

from . import Missing

NAME = "onnxruntime"


def version():
    return onnxruntime.__version__


def prepare(net, precision, images, folder):
    model = net.file(".onnx")
    if not model.exists():
        raise Missing(f"{model.name} does not exist")
    if precision == "float":
        return model
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter(images)

        def get_next(self):
            inputs = next(self.left, None)
            return inputs and {name: data[None] for name, data in inputs.items()}

    shaped, quantized = folder / (net.name + ".shaped.onnx"), folder / (net.name + ".qdq.onnx")
    quantization.shape_inference.quant_pre_process(str(model), str(shaped), skip_symbolic_shape=True)
    quantization.quantize_static(str(shaped), str(quantized), Reader(),
                                 quant_format=quantization.QuantFormat.QDQ, per_channel=True,
                                 activation_type=quantization.QuantType.QUInt8,
                                 weight_type=quantization.QuantType.QInt8)
    return quantized


class Session:
    def __init__(self, net, prepared, precision, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.net = net
        self.session = onnxruntime.InferenceSession(str(prepared), options, providers=["CPUExecutionProvider"])

    def run(self, inputs):
        return self.session.run(list(self.net.outputs), {name: data[None] for name, data in inputs.items()})

    def outputs(self, inputs):
        return dict(zip(self.net.outputs, self.run(inputs)))
