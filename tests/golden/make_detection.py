"""PriorBox, DetectionOutput, YoloDetectionOutput, Yolov3DetectionOutput, Proposal."""
import math

import numpy as np

from golden_common import Golden, f32, f64, sigmoid


def c32(v):
    return float(np.float32(v))


def priors(fw, fh, iw, ih, mins, maxs, ars, flip, clip, offset, step=None, var=(0.1, 0.1, 0.2, 0.2), mm=(0, 0)):
    sw, sh = step or (iw / fw, ih / fh)
    if mm[0]:
        sw, sh = math.ceil(sw), math.ceil(sh)
    boxes = []
    for i in range(fh):
        for j in range(fw):
            cx, cy = j * sw + offset * (sw - mm[1]), i * sh + offset * (sh - mm[1])
            sizes = []
            for k, mn in enumerate(mins):
                sizes.append((mn, mn))
                if maxs:
                    s = math.sqrt(mn * maxs[k])
                    sizes.append((s, s))
                for ar in ars:
                    r = math.sqrt(ar)
                    sizes.append((mn * r, mn / r))
                    if flip:
                        sizes.append((mn / r, mn * r))
            for w, h in sizes:
                boxes += [(cx - w / 2) / iw, (cy - h / 2) / ih, (cx + w / 2) / iw, (cy + h / 2) / ih]
    boxes = np.array(boxes)
    if clip:
        boxes = np.clip(boxes, 0, 1)
    return np.stack([boxes, np.tile([c32(v) for v in var], boxes.size // 4)])


def prior_box():
    g = Golden("PriorBox", 1e-6, 1e-5)

    def case(name, fw, fh, iw, ih, mins, maxs, ars, flip=1, clip=0, offset=0.5, step=None, size_param=False, var=None, note=None, mm=(0, 0)):
        p = {0: mins}
        if maxs:
            p[1] = maxs
        p[2] = ars
        if var:
            p.update({3: var[0], 4: var[1], 5: var[2], 6: var[3]})
        p.update({7: flip, 8: clip, 9: iw if size_param else -233, 10: ih if size_param else -233})
        if step:
            p[11], p[12] = step
        p[13] = offset
        if any(mm):
            p[14], p[15] = mm
        feat, img = g.rng.data(2, fh, fw), np.zeros((1, ih, iw), np.float32)
        y = priors(fw, fh, iw, ih, mins, maxs, ars, flip, clip, offset, step, var or (0.1, 0.1, 0.2, 0.2), mm)
        g.one(name, p, [feat] if size_param else [feat, img], y, note=note)

    case("hand_like_one_cell", 1, 1, 10, 10, [4.0], [], [], note="one square: 0.3 0.3 0.7 0.7 and the variances")
    case("ssd_min_max_ar2", 3, 2, 24, 20, [6.0], [12.0], [2.0])
    case("ssd_ar23", 2, 3, 20, 24, [6.0], [12.0], [2.0, 3.0], note="order a cell: min, sqrt(min*max), then ar and 1/ar")
    case("two_min_two_max", 2, 2, 16, 16, [4.0, 6.0], [8.0, 10.0], [2.0])
    case("no_flip", 2, 2, 16, 16, [4.0], [8.0], [2.0, 3.0], flip=0)
    case("clip", 3, 3, 12, 12, [6.0], [10.0], [2.0], clip=1)
    case("no_max", 3, 2, 24, 16, [6.0, 8.0], [], [2.0])
    case("step_given", 3, 3, 30, 30, [6.0], [], [2.0], step=(8.0, 9.0))
    case("offset_0", 2, 2, 16, 16, [4.0], [], [2.0], offset=0.0)
    case("variances", 2, 2, 16, 16, [4.0], [6.0], [2.0], var=(0.25, 0.5, 0.75, 1.0))
    case("image_size_given", 3, 2, 30, 20, [6.0], [9.0], [2.0], size_param=True, note="one input; the image size is in the parameters")
    case("not_square_image_step", 5, 4, 33, 27, [6.0], [9.0], [2.0])
    for mm in ((1, 0), (0, 1), (1, 1)):
        case("mmdetection_step%d_center%d" % mm, 5, 4, 33, 27, [6.0], [9.0], [2.0], mm=mm,
             note="step_mmdetection rounds the step up; center_mmdetection: centre = index*step + offset*(step-1)")
    g.write()


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w < 0 or h < 0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return w * h / (area - w * h)


def nms(items, threshold):
    """items: (score, label, box), sorted by score"""
    kept = []
    for it in items:
        if all(iou(it[2], k[2]) <= threshold for k in kept):
            kept.append(it)
    return kept


def rows(items):
    return f32([[label, score] + list(box) for score, label, box in items])


def detection_output():
    g = Golden("DetectionOutput", 1e-5, 1e-4)

    def ref(loc, conf, prior, p):
        n, classes = prior.shape[1] // 4, p["classes"]
        loc, conf, pb, var = f64(loc).reshape(n, 4), f64(conf).reshape(n, classes), f64(prior[0]).reshape(n, 4), f64(prior[1]).reshape(n, 4)
        size = pb[:, 2:] - pb[:, :2]
        centre = (pb[:, 2:] + pb[:, :2]) / 2 + var[:, :2] * loc[:, :2] * size
        size = np.exp(var[:, 2:] * loc[:, 2:]) * size
        box = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        out = []
        for c in range(1, classes):
            items = [(conf[i, c], c, tuple(box[i])) for i in range(n) if conf[i, c] > p["conf"]]
            items.sort(key=lambda it: -it[0])  # stable: equal scores keep the order of the priors, as in Caffe
            out += nms(items[:p["nms_top_k"]], p["nms"])
        return rows(sorted(out, key=lambda it: -it[0])[:p["keep"]])

    def case(name, cells, classes, nms_t=0.45, nms_top_k=100, keep=50, conf_t=0.2, note=None):
        prior = f32(priors(cells, cells, 64, 64, [16.0], [28.0], [2.0], 1, 0, 0.5))
        n = prior.shape[1] // 4
        loc = g.rng.data(n * 4)
        logits = f64(g.rng.distinct(n, classes, step=6.0 / (n * classes)))
        logits[:, 0] += 0.5
        conf = f32(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
        y = ref(loc, conf, prior, dict(classes=classes, nms=c32(nms_t), nms_top_k=nms_top_k, keep=keep, conf=c32(conf_t)))
        g.one(name, {0: classes, 1: nms_t, 2: nms_top_k, 3: keep, 4: conf_t}, [loc, conf.reshape(-1), prior], y, note=note)

    pr = f32([[0.1, 0.1, 0.3, 0.3, 0.12, 0.1, 0.32, 0.3, 0.6, 0.6, 0.8, 0.8], [0.1, 0.1, 0.2, 0.2] * 3])
    g.one("hand_nms", {0: 2, 1: 0.5, 2: 10, 3: 10, 4: 0.25}, [f32([0] * 12), f32([0.125, 0.875, 0.25, 0.75, 0.5, 0.5]), pr],
          f32([[1, 0.875, 0.1, 0.1, 0.3, 0.3], [1, 0.5, 0.6, 0.6, 0.8, 0.8]]), note="typed in: zero offsets give the priors; the second box (IoU 0.82) goes")
    case("c3", 3, 3)
    case("c4_low_nms", 3, 4, nms_t=0.25)
    case("keep_top_k", 4, 3, keep=5)
    case("nms_top_k", 4, 3, nms_top_k=6)
    case("high_confidence", 4, 4, conf_t=0.6)
    case("two_classes", 4, 2, nms_t=0.3, conf_t=0.5)
    case("low_confidence", 3, 5, conf_t=0.01, keep=40)
    g.write()


def yolo():
    for layer, v3 in (("YoloDetectionOutput", False), ("Yolov3DetectionOutput", True)):
        g = Golden(layer, 1e-5, 1e-4)

        def ref(xs, classes, boxes, conf, nms_t, biases, mask=None, scales=None):
            items = []
            for b, x in enumerate(xs):
                x = f64(x)
                h, w = x.shape[1:]
                v = x.reshape(boxes, 5 + classes, h, w)
                for k in range(boxes):
                    a = mask[b * boxes + k] if v3 else k
                    bw, bh = c32(biases[2 * a]), c32(biases[2 * a + 1])
                    nw, nh = (int(scales[b] * w), int(scales[b] * h)) if v3 else (w, h)
                    for i in range(h):
                        for j in range(w):
                            t = v[k, :, i, j]
                            s = t[5:]
                            prob = sigmoid(s) if v3 else np.exp(s - s.max()) / np.exp(s - s.max()).sum()
                            c = int(np.argmax(prob))
                            score = float(sigmoid(t[4]) * prob[c])
                            if score < conf:
                                continue
                            cx, cy = (j + float(sigmoid(t[0]))) / w, (i + float(sigmoid(t[1]))) / h
                            ww, hh = math.exp(t[2]) * bw / nw, math.exp(t[3]) * bh / nh
                            items.append((score, c + 1, (cx - ww / 2, cy - hh / 2, cx + ww / 2, cy + hh / 2)))
            return rows(nms(sorted(items, reverse=True), nms_t))

        def heads(sizes, boxes, classes, sure=True):
            xs = []
            for h, w in sizes:
                x = g.rng.data(boxes, 5 + classes, h, w, lo=-1, hi=1)
                x[:, 4] = g.rng.distinct(boxes, h, w, step=6.0 / (boxes * h * w)) + 0.0137 * len(xs)  # no equal scores between heads
                if v3 and sure:
                    best = g.rng.ints(0, classes, boxes, h, w)
                    x[:, 5:] += 16 * (np.arange(classes).reshape(1, -1, 1, 1) == best[:, None])
                xs.append(x.reshape(boxes * (5 + classes), h, w))
            return xs

        note = "label = class + 1; one suppression over all classes; IoU > threshold removes"
        if not v3:
            for name, size, boxes, classes, conf, t in (("one_box", (4, 4), 1, 3, 0.2, 0.45), ("three_boxes", (4, 5), 3, 4, 0.2, 0.45),
                                                        ("low_confidence", (3, 3), 2, 5, 0.05, 0.3), ("high_nms", (4, 4), 2, 2, 0.3, 0.7)):
                biases = [1.0, 1.25, 2.5, 1.5, 0.75, 3.0][:2 * boxes]
                xs = heads([size], boxes, classes)
                g.one(name, {0: classes, 1: boxes, 2: conf, 3: t, 4: biases}, xs, ref(xs, classes, boxes, c32(conf), c32(t), biases), note=note)
        else:
            biases = [10.0, 14.0, 23.0, 27.0, 37.0, 58.0, 81.0, 82.0, 135.0, 169.0, 344.0, 319.0]
            for name, sizes, classes, conf, t, mask, scales in (
                    ("one_head", [(4, 4)], 3, 0.25, 0.45, [0, 1, 2], [32.0]),
                    ("two_heads", [(3, 4), (6, 8)], 3, 0.35, 0.45, [3, 4, 5, 0, 1, 2], [32.0, 16.0]),
                    ("shared_masks", [(3, 3), (6, 6)], 2, 0.4, 0.3, [3, 4, 5, 1, 2, 3], [33.6, 16.8]),
                    ("low_confidence", [(3, 3)], 4, 0.05, 0.45, [1, 2, 3], [32.0]),
                    ("product_of_scores", [(4, 4)], 3, 0.25, 0.45, [0, 1, 2], [32.0])):
                xs = heads(sizes, 3, classes, name != "product_of_scores")
                y = ref(xs, classes, 3, c32(conf), c32(t), biases, mask, scales)
                p = {0: classes, 1: 3, 2: conf, 3: t, 4: biases, 5: [float(m) for m in mask], 6: scales}
                g.one(name, p, xs, y, note=note if name != "product_of_scores" else
                      "score = sigmoid(box) * sigmoid(class), as Darknet. differs from ncnn: 1 / (1 + exp(-box) * (1 + exp(-class))); the other "
                      "cases have class logits so large that both forms agree")
                if name == "two_heads":
                    bits = [int(np.float32(m).view(np.int32)) for m in mask]
                    g.one(name + "_mask_as_bits", {**p, 5: bits}, xs, y, note="mask is a float array; converters write its bits as integers (3.0 = 1077936128)")
        g.write()


def regions(scores, deltas, image, stride, base, before, after, thresh, least, ratios, scales):
    """py-faster-rcnn's proposal layer; corners are pixels, so a box from 3 to 3 is one pixel wide."""
    anchors = []
    for ratio in ratios:
        w = np.round(np.sqrt(base * base / ratio))
        h = np.round(w * ratio)
        for scale in scales:
            anchors.append((w * scale, h * scale))
    count, height, width = len(anchors), scores.shape[1], scores.shape[2]
    boxes = []
    for y in range(height):
        for x in range(width):
            for a, (w, h) in enumerate(anchors):
                dx, dy, dw, dh = f64(deltas)[4 * a:4 * a + 4, y, x]
                cx = (base - 1) / 2 - (w - 1) / 2 + x * stride + w / 2 + dx * w
                cy = (base - 1) / 2 - (h - 1) / 2 + y * stride + h / 2 + dy * h
                ww, hh = math.exp(dw) * w, math.exp(dh) * h
                box = [min(max(v, 0), last - 1) for v, last in zip((cx - ww / 2, cy - hh / 2, cx + ww / 2, cy + hh / 2), (image[1], image[0]) * 2)]
                if min(box[2] - box[0], box[3] - box[1]) + 1 >= least * image[2]:
                    boxes.append((float(scores[count + a, y, x]), box))
    boxes = sorted(boxes, key=lambda b: -b[0])[:before]
    kept = []
    for score, b in boxes:
        area = lambda v: (v[2] - v[0] + 1) * (v[3] - v[1] + 1)
        common = lambda v: max(0, min(b[2], v[2]) - max(b[0], v[0]) + 1) * max(0, min(b[3], v[3]) - max(b[1], v[1]) + 1)
        if all(common(k) / (area(b) + area(k) - common(k)) <= thresh for _, k in kept):
            kept.append((score, b))
    rows = min(after, count * height * width)
    kept = kept[:rows]
    blank = rows - len(kept)
    return f32([b for _, b in kept] + [[0] * 4] * blank), f32([s for s, _ in kept] + [0] * blank)


def proposal():
    g = Golden("Proposal", 1e-3, 1e-5)

    def case(name, size, image, before, after, thresh=0.7, least=16, stride=16, base=16, ratios=None, scales=None, both=False, note=None):
        count = len(ratios or (1, 1, 1)) * len(scales or (1, 1, 1))
        scores = g.rng.distinct(2 * count, *size, step=1 / 1024)
        deltas = g.rng.data(4 * count, *size, lo=-0.5, hi=0.5)
        info = f32(image)
        rois, values = regions(scores, deltas, image, stride, base, before, after, c32(thresh), least, ratios or (0.5, 1, 2), scales or (8, 16, 32))
        params = {0: stride, 1: base, 2: before, 3: after, 4: thresh, 5: least}
        if ratios:
            params[6] = ratios
        if scales:
            params[7] = scales
        g.one(name, params, [scores, deltas, info], [rois, values] if both else rois, note=note)

    shape = "differs from ncnn: rows [regions, 4], zeros where suppression leaves fewer"
    case("map", (6, 8), (600.0, 800.0, 2.0), 200, 20, note=shape)
    case("scores_too", (5, 5), (320.0, 300.0, 1.0), 60, 30, both=True, note=shape)
    case("few_left", (2, 2), (64.0, 64.0, 1.0), 300, 36, thresh=0.3, note=shape)
    case("small_ones_go", (4, 4), (400.0, 400.0, 4.0), 100, 50, least=40, both=True, note=shape)
    case("own_anchors", (4, 3), (128.0, 96.0, 1.0), 50, 10, stride=32, base=8, ratios=[1.0, 2.5], scales=[2.0, 4.0], least=4, both=True,
         note="differs from ncnn: ratios (6) and scales (7)")
    g.write()


if __name__ == "__main__":
    prior_box()
    detection_output()
    yolo()
    proposal()
