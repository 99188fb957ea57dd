"""Featherweight through its C interface. FW_BUILD names the build folder (lib/libfw.so, bin/calibrate)."""
import ctypes
import os
import pathlib
import subprocess

import numpy

from . import Missing

NAME = "fw"
PRECISIONS = {"auto": 0, "float": 1, "int8": 2}


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int), ("dims", ctypes.c_int * 4)]


def build_folder():
    return pathlib.Path(os.environ.get("FW_BUILD", "build"))


def load_library():
    path = build_folder() / "lib" / "libfw.so"
    if not path.exists():
        raise Missing(f"{path} does not exist: build Featherweight, or name the build folder with --build")
    lib = ctypes.CDLL(str(path))
    lib.fw_version.restype = ctypes.c_char_p
    lib.fw_last_error.restype = ctypes.c_char_p
    lib.fw_net_create.restype = ctypes.c_void_p
    lib.fw_extractor_create.restype = ctypes.c_void_p
    lib.fw_net_destroy.argtypes = [ctypes.c_void_p]
    lib.fw_net_set_threads.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.fw_net_set_precision.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.fw_net_load_table.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.fw_net_load_model.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    lib.fw_extractor_create.argtypes = [ctypes.c_void_p]
    lib.fw_extractor_destroy.argtypes = [ctypes.c_void_p]
    lib.fw_extractor_input.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, Shape]
    lib.fw_extractor_extract.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p),
                                         ctypes.POINTER(Shape)]
    return lib


def version():
    return load_library().fw_version().decode()


def prepare(net, precision, images, folder):
    """int8 and auto: a table from the same images as the peers' quantizers see; returns its path, else None."""
    if precision == "float":
        return None
    if len(net.inputs) != 1:
        raise Missing("calibrate takes networks with one input")
    samples = folder / "images"
    samples.mkdir(parents=True, exist_ok=True)
    for i, inputs in enumerate(images):
        numpy.save(samples / f"{i:03}.npy", next(iter(inputs.values())))
    table = folder / (net.name + ".table")
    command = [build_folder() / "bin" / "calibrate", net.file(".param"), net.file(".bin"), "--images", samples, "--out",
               table, "--method", "minmax", "--quiet"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing("calibrate: " + (done.stderr.strip().splitlines() or ["failed"])[-1])
    return table


class Session:
    def __init__(self, net, prepared, precision, threads):
        self.lib = load_library()
        self.net = net
        self.handle = self.lib.fw_net_create()
        self.check(self.lib.fw_net_set_threads(self.handle, threads))
        self.check(self.lib.fw_net_set_precision(self.handle, PRECISIONS[precision]))
        if prepared is not None:
            self.check(self.lib.fw_net_load_table(self.handle, str(prepared).encode()))
        self.check(self.lib.fw_net_load_model(self.handle, str(net.file(".param")).encode(),
                                              str(net.file(".bin")).encode()))
        self.extractor = self.lib.fw_extractor_create(self.handle)

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.lib.fw_last_error().decode())

    def extract(self, inputs):
        for name, data in inputs.items():
            shape = Shape(data.ndim, (ctypes.c_int * 4)(*data.shape))
            self.check(self.lib.fw_extractor_input(self.extractor, name.encode(), data.ctypes.data, shape))
        for name in self.net.outputs:
            data, shape = ctypes.c_void_p(), Shape()
            self.check(self.lib.fw_extractor_extract(self.extractor, name.encode(), ctypes.byref(data),
                                                     ctypes.byref(shape)))
            yield name, data, shape

    def run(self, inputs):
        for _ in self.extract(inputs):
            pass

    def outputs(self, inputs):
        result = {}
        for name, data, shape in self.extract(inputs):
            dims = tuple(shape.dims[:shape.rank])
            count = int(numpy.prod(dims))
            floats = ctypes.cast(data, ctypes.POINTER(ctypes.c_float * count)).contents
            result[name] = numpy.frombuffer(floats, numpy.float32).reshape(dims).copy()
        return result
