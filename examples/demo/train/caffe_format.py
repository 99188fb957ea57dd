"""Reads and writes Caffe's two file formats: prototxt (text) and caffemodel (protobuf wire format).

Messages are plain dicts.  Only the fields that the demo networks use are listed; unknown ones are skipped on reading.
"""
import re
import struct

import numpy as np

# message -> field name -> (number, kind); kind is a scalar kind, "enum" or a message; [] = repeated, * = packed
SCHEMA = {
    "NetParameter": "1 name string, 3 input []string, 8 input_shape []BlobShape, 100 layer []LayerParameter",
    "BlobShape": "1 dim []*int",
    "BlobProto": "7 shape BlobShape, 5 data []*float",
    "LayerParameter": "1 name string, 2 type string, 3 bottom []string, 4 top []string, 6 param []ParamSpec,"
                      "7 blobs []BlobProto, 139 batch_norm_param BatchNormParameter,"
                      "104 concat_param ConcatParameter, 106 convolution_param ConvolutionParameter,"
                      "204 detection_output_param DetectionOutputParameter, 108 dropout_param DropoutParameter,"
                      "110 eltwise_param EltwiseParameter, 135 flatten_param FlattenParameter,"
                      "143 input_param InputParameter, 202 permute_param PermuteParameter,"
                      "121 pooling_param PoolingParameter, 203 prior_box_param PriorBoxParameter,"
                      "133 reshape_param ReshapeParameter, 142 scale_param ScaleParameter,"
                      "125 softmax_param SoftmaxParameter",
    "ParamSpec": "3 lr_mult float, 4 decay_mult float",
    "BatchNormParameter": "1 use_global_stats bool, 3 eps float",
    "ConcatParameter": "2 axis int",
    "ConvolutionParameter": "1 num_output int, 2 bias_term bool, 3 pad []int, 4 kernel_size []int, 6 stride []int,"
                            "5 group int, 15 engine Engine",
    "DetectionOutputParameter": "1 num_classes int, 2 share_location bool, 3 background_label_id int,"
                                "4 nms_param NonMaximumSuppressionParameter, 6 code_type CodeType,"
                                "7 keep_top_k int, 9 confidence_threshold float",
    "NonMaximumSuppressionParameter": "1 nms_threshold float, 2 top_k int",
    "DropoutParameter": "1 dropout_ratio float",
    "EltwiseParameter": "1 operation EltwiseOp",
    "FlattenParameter": "1 axis int",
    "InputParameter": "1 shape []BlobShape",
    "PermuteParameter": "1 order []int",
    "PoolingParameter": "1 pool PoolMethod, 4 pad int, 2 kernel_size int, 3 stride int, 12 global_pooling bool",
    "PriorBoxParameter": "1 min_size []float, 2 max_size []float, 3 aspect_ratio []float, 4 flip bool, 5 clip bool,"
                         "6 variance []float, 10 step float, 13 offset float",
    "ReshapeParameter": "1 shape BlobShape",
    "ScaleParameter": "4 bias_term bool",
    "SoftmaxParameter": "2 axis int",
}
ENUMS = {
    "Engine": {"DEFAULT": 0, "CAFFE": 1, "CUDNN": 2},
    "CodeType": {"CORNER": 1, "CENTER_SIZE": 2, "CORNER_SIZE": 3},
    "EltwiseOp": {"PROD": 0, "SUM": 1, "MAX": 2},
    "PoolMethod": {"MAX": 0, "AVE": 1, "STOCHASTIC": 2},
}
SCHEMA = {message: {name: (int(number), kind) for number, name, kind in (f.split() for f in fields.split(","))}
          for message, fields in SCHEMA.items()}


def _base(kind):
    return kind.replace("[]", "").replace("*", "")


# ---- text ----

def _scalar_to_text(kind, value):
    if kind == "string":
        return '"%s"' % value
    if kind == "bool":
        return "true" if value else "false"
    if kind == "float":
        return "%.7g" % value
    return str(value)


def to_text(message, kind="NetParameter", indent=0, skip=("blobs",)):
    lines, pad = [], "  " * indent
    for name, value in message.items():
        if name in skip:
            continue
        field = SCHEMA[kind][name][1]
        base = _base(field)
        for item in value if field.startswith("[]") else [value]:
            if base in SCHEMA:
                lines += ["%s%s {" % (pad, name), *to_text(item, base, indent + 1, skip), pad + "}"]
            else:
                lines.append("%s%s: %s" % (pad, name, _scalar_to_text(base, item)))
    return lines if indent else "\n".join(lines) + "\n"


def from_text(text):
    text = re.sub(r"#[^\n]*", "", text)
    tokens = re.findall(r'"[^"]*"|[{}:]|[^\s{}:]+', text)

    def message(kind, at):
        out = {}
        while at < len(tokens) and tokens[at] != "}":
            name = tokens[at]
            field = SCHEMA[kind][name][1]
            base = _base(field)
            at += 1
            if tokens[at] == ":":
                at += 1
            if tokens[at] == "{":
                value, at = message(base, at + 1)
            elif base == "string":
                value = tokens[at].strip('"')
            elif base == "bool":
                value = tokens[at] == "true"
            elif base in ENUMS:
                value = tokens[at]
            else:
                value = (float if base == "float" else int)(tokens[at])
            at += 1
            if field.startswith("[]"):
                out.setdefault(name, []).append(value)
            else:
                out[name] = value
        return out, at

    return message("NetParameter", 0)[0]


# ---- wire format ----

def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _scalar_to_wire(kind, value):
    if kind == "float":
        return 5, struct.pack("<f", value)
    if kind == "string":
        data = value.encode()
        return 2, _varint(len(data)) + data
    return 0, _varint(ENUMS[kind][value] if kind in ENUMS else int(value))


def to_wire(message, kind="NetParameter"):
    out = b""
    for name, value in message.items():
        number, field = SCHEMA[kind][name]
        base = _base(field)
        if "*" in field:
            if base == "float":
                data = np.asarray(value, "<f4").tobytes()
            else:
                data = b"".join(_varint(v) for v in value)
            out += _varint(number << 3 | 2) + _varint(len(data)) + data
            continue
        for item in value if field.startswith("[]") else [value]:
            if base in SCHEMA:
                data = to_wire(item, base)
                out += _varint(number << 3 | 2) + _varint(len(data)) + data
            else:
                wire, data = _scalar_to_wire(base, item)
                out += _varint(number << 3 | wire) + data
    return out


def from_wire(data, kind="NetParameter"):
    at, out = 0, {}
    fields = {number: (name, field) for name, (number, field) in SCHEMA[kind].items()}

    def varint(data, at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at += 1
            shift += 7
            if byte < 128:
                return value - (1 << 64) if value >> 63 else value, at

    while at < len(data):
        key, at = varint(data, at)
        name, field = fields.get(key >> 3, (None, ""))
        base, wire = _base(field), key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        if name is None:
            continue
        if "*" in field:
            if base == "float":
                out[name] = np.frombuffer(value, "<f4")
            else:
                out[name], i = [], 0
                while i < len(value):
                    v, i = varint(value, i)
                    out[name].append(v)
            continue
        if base in SCHEMA:
            value = from_wire(value, base)
        elif base == "string":
            value = value.decode()
        elif base == "bool":
            value = bool(value)
        elif base in ENUMS:
            value = next(k for k, v in ENUMS[base].items() if v == value)
        if field.startswith("[]"):
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


# ---- whole networks ----

def blob(array):
    array = np.ascontiguousarray(array, np.float32)
    return {"shape": {"dim": list(array.shape)}, "data": array.ravel()}


def save_net(net, prototxt, caffemodel):
    with open(prototxt, "w") as f:
        f.write(to_text(net))
    with open(caffemodel, "wb") as f:
        f.write(to_wire(net))


def load_net(prototxt, caffemodel):
    """The net of the prototxt; each layer's "blobs" become arrays taken from the caffemodel, by layer name."""
    with open(prototxt) as f:
        net = from_text(f.read())
    with open(caffemodel, "rb") as f:
        stored = {layer["name"]: layer.get("blobs", []) for layer in from_wire(f.read())["layer"]}
    for layer in net["layer"]:
        layer["blobs"] = [np.array(b["data"]).reshape(b["shape"]["dim"]) for b in stored.get(layer["name"], [])]
    return net
