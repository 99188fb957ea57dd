"""The two networks, as Caffe layer lists."""
import render

CLASSIFIER_MEAN, CLASSIFIER_NORM = (104, 117, 123), 0.017   # B, G, R
DETECTOR_MEAN, DETECTOR_NORM = (127.5, 127.5, 127.5), 0.007843  # R, G, B


class Builder:
    def __init__(self, batchnorm):
        self.layers, self.batchnorm = [], batchnorm

    def add(self, kind, name, bottom, top=None, **params):
        bottom = [bottom] if isinstance(bottom, str) else bottom
        top = top or name
        self.layers.append({"name": name, "type": kind, "bottom": bottom, "top": [top], **params})
        return top

    def conv(self, name, x, outputs, kernel=1, stride=1, pad=0, group=1, relu=True, norm=True, relu_name=None):
        """Convolution, and BatchNorm + Scale + ReLU in place."""
        norm = norm and self.batchnorm
        p = {"num_output": outputs}
        if norm:
            p["bias_term"] = False
        if pad:
            p["pad"] = [pad]
        p["kernel_size"] = [kernel]
        if stride > 1:
            p["stride"] = [stride]
        if group > 1:
            p.update(group=group, engine="CAFFE")
        spec = [{"lr_mult": 1, "decay_mult": 1}] + ([] if norm else [{"lr_mult": 2, "decay_mult": 0}])
        x = self.add("Convolution", name, x, param=spec, convolution_param=p)
        if norm:
            self.add("BatchNorm", name + "/bn", x, x, param=[{"lr_mult": 0, "decay_mult": 0}] * 3,
                     batch_norm_param={"use_global_stats": True, "eps": 1e-5})
            self.add("Scale", name + "/scale", x, x, param=[{"lr_mult": 1, "decay_mult": 0}] * 2,
                     scale_param={"bias_term": True})
        if relu:
            self.add("ReLU", relu_name or name + "/relu", x, x)
        return x


def classifier(batchnorm):
    """SqueezeNet with simple bypass and one depthwise layer.  With BatchNorm for training; folded for deployment."""
    b = Builder(batchnorm)
    size = render.CLASSIFIER_SIZE
    b.layers.append({"name": "data", "type": "Input", "top": ["data"],
                     "input_param": {"shape": [{"dim": [1, 3, size, size]}]}})

    def pool(name, x):
        return b.add("Pooling", name, x, pooling_param={"pool": "MAX", "kernel_size": 3, "stride": 2})

    def fire(name, x, squeeze, expand):
        x = b.conv(name + "/squeeze1x1", x, squeeze, relu_name=name + "/relu_squeeze1x1")
        one = b.conv(name + "/expand1x1", x, expand, relu_name=name + "/relu_expand1x1")
        three = b.conv(name + "/expand3x3", x, expand, kernel=3, pad=1, relu_name=name + "/relu_expand3x3")
        return b.add("Concat", name + "/concat", [one, three])

    def bypass(name, x, y):
        return b.add("Eltwise", name, [x, y], eltwise_param={"operation": "SUM"})

    x = b.conv("conv1", "data", 32, kernel=3, stride=2, pad=1, relu_name="relu_conv1")
    x = pool("pool1", x)
    x = fire("fire2", x, 16, 40)
    x = bypass("bypass_3", x, fire("fire3", x, 16, 40))
    x = pool("pool3", x)
    x = fire("fire4", x, 24, 64)
    x = bypass("bypass_5", x, fire("fire5", x, 32, 64))
    x = b.conv("conv6/dw", x, 128, kernel=3, pad=1, group=128)
    x = fire("fire6", x, 32, 96)
    x = pool("pool6", x)
    x = fire("fire7", x, 40, 96)
    x = b.add("Dropout", "drop9", x, x, dropout_param={"dropout_ratio": 0.2})
    x = b.conv("conv10", x, len(render.CLASSIFIER_LABELS), relu=False, norm=False)
    x = b.add("Pooling", "pool10", x, pooling_param={"pool": "AVE", "global_pooling": True})
    b.add("Softmax", "prob", x)
    return {"name": "fw_demo_squeezenet", "layer": b.layers}


def detector():
    """MobileNet-v1 with SSD heads on three maps (16x16, 8x8, 4x4)."""
    b = Builder(True)
    classes, size = len(render.DETECTOR_LABELS), render.DETECTOR_SIZE

    def separable(name, x, inputs, outputs, stride=1):
        x = b.conv(name + "/dw", x, inputs, kernel=3, stride=stride, pad=1, group=inputs)
        return b.conv(name, x, outputs)

    x = b.conv("conv0", "data", 16, kernel=3, stride=2, pad=1)
    width = 16
    maps = []
    for i, (outputs, stride) in enumerate([(32, 1), (48, 2), (64, 1), (96, 2), (96, 1), (96, 1),
                                           (128, 2), (128, 1), (160, 2), (160, 1)], 1):
        x = separable("conv%d" % i, x, width, outputs, stride)
        width = outputs
        if i in (6, 8, 10):
            maps.append(x)

    settings = [dict(least=20, most=36, ratios=[2], step=8), dict(least=36, most=60, ratios=[2, 3]),
                dict(least=60, most=96, ratios=[2])]
    heads = {"loc": [], "conf": [], "priorbox": []}
    for x, s in zip(maps, settings):
        priors = 2 + 2 * len(s["ratios"])
        for kind, each in (("loc", 4), ("conf", classes)):
            name = "%s_mbox_%s" % (x, kind)
            b.conv(name, x, priors * each, relu=False, norm=False)
            b.add("Permute", name + "_perm", name, permute_param={"order": [0, 2, 3, 1]})
            heads[kind].append(b.add("Flatten", name + "_flat", name + "_perm", flatten_param={"axis": 1}))
        p = {"min_size": [s["least"]], "max_size": [s["most"]], "aspect_ratio": s["ratios"], "flip": True,
             "clip": False, "variance": [0.1, 0.1, 0.2, 0.2]}
        if "step" in s:
            p["step"] = s["step"]
        p["offset"] = 0.5
        heads["priorbox"].append(b.add("PriorBox", "%s_mbox_priorbox" % x, [x, "data"], prior_box_param=p))
    loc = b.add("Concat", "mbox_loc", heads["loc"], concat_param={"axis": 1})
    conf = b.add("Concat", "mbox_conf", heads["conf"], concat_param={"axis": 1})
    prior = b.add("Concat", "mbox_priorbox", heads["priorbox"], concat_param={"axis": 2})
    b.add("Reshape", "mbox_conf_reshape", conf, reshape_param={"shape": {"dim": [0, -1, classes]}})
    b.add("Softmax", "mbox_conf_softmax", "mbox_conf_reshape", softmax_param={"axis": 2})
    b.add("Flatten", "mbox_conf_flatten", "mbox_conf_softmax", flatten_param={"axis": 1})
    b.add("DetectionOutput", "detection_out", [loc, "mbox_conf_flatten", prior], detection_output_param={
        "num_classes": classes, "share_location": True, "background_label_id": 0,
        "nms_param": {"nms_threshold": 0.45, "top_k": 100}, "code_type": "CENTER_SIZE", "keep_top_k": 50,
        "confidence_threshold": 0.1})
    return {"name": "fw_demo_mobilenet_ssd", "input": ["data"], "input_shape": [{"dim": [1, 3, size, size]}],
            "layer": b.layers}
