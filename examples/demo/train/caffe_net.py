"""Runs and trains a Caffe network description in PyTorch, layer by layer, with Caffe's meaning of every layer."""
import math

import numpy as np
import torch
import torch.nn.functional as F

import ssd
from caffe_format import blob


def _first(values, default):
    return values[0] if values else default


def _padded_max_pool(x, kernel, stride, pad):
    """Caffe rounds the output size up; the last window must start inside the image or its left padding."""
    extra = []
    for size in x.shape[2:]:
        out = math.ceil((size + 2 * pad - kernel) / stride) + 1
        if pad and (out - 1) * stride >= size + pad:
            out -= 1
        extra.append(max(0, (out - 1) * stride + kernel - size - pad))
    x = F.pad(x, (pad, extra[1], pad, extra[0]), value=float("-inf"))
    return F.max_pool2d(x, kernel, stride)


class CaffeNet(torch.nn.Module):
    """net: a NetParameter dict.  Layers without "blobs" get freshly initialised parameters."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.weights = torch.nn.ParameterDict()
        channels = {}
        if "input" in net:
            channels[net["input"][0]] = net["input_shape"][0]["dim"][1]
        previous = None
        for layer in net["layer"]:
            kind, name = layer["type"], layer["name"]
            inputs = [channels.get(b) for b in layer.get("bottom", [])]
            c = _first(inputs, None)
            stored = [torch.tensor(b) for b in layer.get("blobs", [])]
            if kind == "Input":
                c = layer["input_param"]["shape"][0]["dim"][1]
            elif kind == "Convolution":
                p = layer["convolution_param"]
                shape = (p["num_output"], c // p.get("group", 1), p["kernel_size"][0], p["kernel_size"][0])
                if not stored:
                    stored = [torch.randn(shape) * math.sqrt(2 / (shape[1] * shape[2] ** 2)), torch.zeros(shape[0])]
                self.weights[name + "/w"] = stored[0]
                if p.get("bias_term", True):
                    self.weights[name + "/b"] = stored[1]
                c = p["num_output"]
            elif kind == "BatchNorm":
                mean, var = torch.zeros(c), torch.ones(c)
                if stored:
                    factor = 0 if stored[2][0] == 0 else 1 / stored[2][0]
                    mean, var = stored[0] * factor, stored[1] * factor
                self.register_buffer(name + "/mean", mean)
                self.register_buffer(name + "/var", var)
            elif kind == "Scale":
                self.weights[name + "/g"] = stored[0] if stored else torch.ones(c)
                self.weights[name + "/b"] = stored[1] if stored else torch.zeros(c)
                if previous["type"] == "BatchNorm":
                    previous["_scale"] = name  # both run as one operation: the same result, half the work
                    layer["_done"] = True
            elif kind == "Concat":
                c = sum(inputs) if None not in inputs else None
            for top in layer["top"]:
                channels[top] = c
            previous = layer

    def forward(self, data, until=None):
        """All blobs by name (in-place layers overwrite); stops after the layer called `until`."""
        blobs = {}
        if "input" in self.net:
            blobs[self.net["input"][0]] = data
        for layer in self.net["layer"]:
            if layer["type"] == "Input":
                blobs[layer["top"][0]] = data
            elif not layer.get("_done"):
                blobs[layer["top"][0]] = self.run(layer, [blobs[b] for b in layer["bottom"]])
            if layer["name"] == until:
                break
        return blobs

    def run(self, layer, inputs):
        kind, name, x = layer["type"], layer["name"], inputs[0]
        if kind == "Convolution":
            p = layer["convolution_param"]
            bias = self.weights[name + "/b"] if p.get("bias_term", True) else None
            return F.conv2d(x, self.weights[name + "/w"], bias, _first(p.get("stride"), 1), _first(p.get("pad"), 0),
                            1, p.get("group", 1))
        if kind == "BatchNorm":
            scale = layer.get("_scale")
            return F.batch_norm(x, getattr(self, name + "/mean"),
                                getattr(self, name + "/var"),
                                self.weights[scale + "/g"] if scale else None,
                                self.weights[scale + "/b"] if scale else None,
                                self.training, 0.05, layer.get("batch_norm_param", {}).get("eps", 1e-5))
        if kind == "Scale":
            return x * self.weights[name + "/g"].view(1, -1, 1, 1) + self.weights[name + "/b"].view(1, -1, 1, 1)
        if kind == "ReLU":
            return F.relu(x, inplace=not self.training)
        if kind == "Pooling":
            p = layer["pooling_param"]
            if p.get("global_pooling"):
                return x.mean((2, 3), keepdim=True) if p["pool"] == "AVE" else x.amax((2, 3), keepdim=True)
            assert p["pool"] == "MAX"
            return _padded_max_pool(x, p["kernel_size"], p.get("stride", 1), p.get("pad", 0))
        if kind == "Concat":
            return torch.cat(inputs, layer.get("concat_param", {}).get("axis", 1))
        if kind == "Eltwise":
            return inputs[0] + inputs[1]
        if kind == "Dropout":
            return F.dropout(x, layer["dropout_param"]["dropout_ratio"], self.training)
        if kind == "Softmax":
            return F.softmax(x, layer.get("softmax_param", {}).get("axis", 1))
        if kind == "Permute":
            return x.permute(*layer["permute_param"]["order"]).contiguous()
        if kind == "Flatten":
            return x.flatten(layer.get("flatten_param", {}).get("axis", 1))
        if kind == "Reshape":
            dims = layer["reshape_param"]["shape"]["dim"]
            return x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(dims)])
        if kind == "PriorBox":
            image = inputs[1].shape
            priors = ssd.prior_boxes(layer["prior_box_param"], x.shape[2:], image[2:])
            return torch.from_numpy(priors[None])
        if kind == "DetectionOutput":
            loc, conf, prior = [i.detach().numpy() for i in inputs]
            found = [ssd.detection_output(layer["detection_output_param"], loc[i], conf[i], prior[0])
                     for i in range(len(loc))]
            rows = [np.concatenate([np.full((len(f), 1), i, np.float32), f], 1) for i, f in enumerate(found)]
            return torch.from_numpy(np.concatenate(rows)[None, None])
        raise NotImplementedError(kind)

    def to_caffe(self):
        """The description with the present parameters as blobs, ready for caffe_format.save_net."""
        layers = []
        for layer in self.net["layer"]:
            name = layer["name"]
            out = {k: v for k, v in layer.items() if not k.startswith("_") and k != "blobs"}
            arrays = []
            if layer["type"] == "BatchNorm":
                # Caffe stores running sums with their weight; real files carry a weight near 999.98, not 1
                factor = np.float32(999.98236)
                arrays = [getattr(self, name + "/" + k).numpy() * factor for k in ("mean", "var")]
                arrays.append(np.array([factor]))
            else:
                arrays = [self.weights[name + k].detach().numpy() for k in ("/w", "/g", "/b") if name + k in self.weights]
            if arrays:
                out["blobs"] = [blob(a) for a in arrays]
            layers.append(out)
        return {**{k: v for k, v in self.net.items() if k != "layer"}, "layer": layers}

    def macs_and_layers(self, data):
        """Multiply-accumulates of the convolutions for one image, and the number of layers that compute."""
        blobs, total = self.eval()(data), 0
        for layer in self.net["layer"]:
            if layer["type"] == "Convolution":
                out = blobs[layer["top"][0]].shape
                total += self.weights[layer["name"] + "/w"].numel() * out[2] * out[3]
        return total, sum(layer["type"] != "Input" for layer in self.net["layer"])


def fold_batchnorm(net):
    """The same network with every Convolution + BatchNorm + Scale made into one Convolution with a bias."""
    layers = []
    for layer in net["layer"]:
        if layer["type"] == "BatchNorm":
            conv = layers[-1]
            w = np.array(conv["blobs"][0]["data"]).reshape(conv["blobs"][0]["shape"]["dim"]).astype(np.float64)
            mean, var, factor = [np.asarray(b["data"], np.float64) for b in layer["blobs"]]
            mean, norm = mean / factor, 1 / np.sqrt(var / factor + layer.get("batch_norm_param", {}).get("eps", 1e-5))
            conv["_fold"] = (w, mean, norm)
        elif layer["type"] == "Scale":
            conv = layers[-1]
            w, mean, norm = conv.pop("_fold")
            gamma, beta = [np.asarray(b["data"], np.float64) for b in layer["blobs"]]
            conv["convolution_param"] = {k: v for k, v in conv["convolution_param"].items() if k != "bias_term"}
            conv["param"] = conv["param"] + [{"lr_mult": 2, "decay_mult": 0}]
            conv["blobs"] = [blob(w * (gamma * norm).reshape(-1, 1, 1, 1)), blob(beta - mean * gamma * norm)]
        else:
            layers.append(dict(layer))
    return {**net, "layer": layers}
