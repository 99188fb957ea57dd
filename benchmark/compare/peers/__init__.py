"""The engines that compare.py knows. Each module has NAME, version(), prepare(net, precision, images, folder) and
Session(net, prepared, precision, threads) with run(inputs) -> None and outputs(inputs) -> {name: array}. What a peer
cannot do it says by raising Missing."""
import importlib

MODULES = {
    "fw": "featherweight",
    "onnxruntime": "onnxruntime_peer",
    "openvino": "openvino_peer",
    "ncnn": "ncnn_peer",
    "mnn": "mnn_peer",
    "litert": "litert_peer",
}


class Missing(Exception):
    """The peer is not installed or cannot run this network in this precision; the message says why."""


def load(name):
    try:
        return importlib.import_module("peers." + MODULES[name])
    except ImportError as error:
        raise Missing(f"not installed ({error})") from error
