"""What Caffe's SSD layers compute (PriorBox, DetectionOutput), the training loss, and average precision."""
import math

import numpy as np
import torch
import torch.nn.functional as F


def prior_boxes(p, map_size, image_size):
    """[2, N*4]: corner boxes in 0..1, then the variances."""
    ratios = []
    for r in p.get("aspect_ratio", []):
        ratios += [r, 1 / r] if p.get("flip", True) else [r]
    sizes = []
    for i, least in enumerate(p["min_size"]):
        sizes.append((least, least))
        if p.get("max_size"):
            side = math.sqrt(least * p["max_size"][i])
            sizes.append((side, side))
        sizes += [(least * math.sqrt(r), least / math.sqrt(r)) for r in ratios]
    rows, cols = map_size
    high, wide = image_size
    step_y, step_x = p.get("step", high / rows), p.get("step", wide / cols)
    offset = p.get("offset", 0.5)
    out = []
    for y in range(rows):
        for x in range(cols):
            cx, cy = (x + offset) * step_x, (y + offset) * step_y
            out += [((cx - w / 2) / wide, (cy - h / 2) / high, (cx + w / 2) / wide, (cy + h / 2) / high) for w, h in sizes]
    boxes = np.array(out, np.float32)
    if p.get("clip", False):
        boxes = boxes.clip(0, 1)
    variance = np.tile(np.array(p["variance"], np.float32), len(boxes))
    return np.stack([boxes.ravel(), variance])


def decode(loc, prior):
    """CENTER_SIZE: loc [N,4] to corner boxes [N,4]."""
    boxes, variance = prior[0].reshape(-1, 4), prior[1].reshape(-1, 4)
    size = boxes[:, 2:] - boxes[:, :2]
    center = (boxes[:, 2:] + boxes[:, :2]) / 2
    c = variance[:, :2] * loc[:, :2] * size + center
    half = np.exp(variance[:, 2:] * loc[:, 2:]) * size / 2
    return np.concatenate([c - half, c + half], 1)


def iou_one_many(a, b):
    wh = np.minimum(a[2:], b[:, 2:]) - np.maximum(a[:2], b[:, :2])
    shared = np.prod(wh.clip(0), 1)
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[:, 2:] - b[:, :2], 1) - shared)


def detection_output(p, loc, conf, prior):
    """One image's [n, 6] rows label, score, xmin, ymin, xmax, ymax; classes ascending, scores descending."""
    boxes = decode(loc.reshape(-1, 4), prior)
    conf = conf.reshape(len(boxes), p["num_classes"])
    nms = p["nms_param"]
    rows = []
    for label in range(p["num_classes"]):
        if label == p.get("background_label_id", 0):
            continue
        candidates = np.flatnonzero(conf[:, label] > p["confidence_threshold"])
        order = candidates[np.argsort(-conf[candidates, label], kind="stable")][:nms["top_k"]]
        kept = []
        for i in order:
            if not kept or iou_one_many(boxes[i], boxes[kept]).max() <= nms["nms_threshold"]:
                kept.append(i)
        rows += [[label, conf[i, label], *boxes[i]] for i in kept]
    rows = np.array(rows, np.float32).reshape(-1, 6)
    if len(rows) > p["keep_top_k"] > 0:
        rows = rows[np.sort(np.argsort(-rows[:, 1], kind="stable")[:p["keep_top_k"]])]
    return rows


# ---- training ----

def match(prior, boxes, labels, threshold=0.5):
    """Targets of every image: class [B,N] and encoded location [B,N,4].  boxes [B,M,4]; label 0 = no object."""
    p = torch.from_numpy(prior[0].reshape(-1, 4))
    variance = torch.from_numpy(prior[1].reshape(-1, 4))
    size, center = p[:, 2:] - p[:, :2], (p[:, 2:] + p[:, :2]) / 2
    wh = torch.minimum(p[None, None, :, 2:], boxes[:, :, None, 2:]) - torch.maximum(p[None, None, :, :2], boxes[:, :, None, :2])
    shared = wh.clamp(min=0).prod(-1)
    area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    iou = shared / (size.prod(-1) + area[..., None] - shared)
    iou[labels == 0] = -1
    best, which = iou.max(1)                      # for each prior its object
    for b in range(len(boxes)):                   # for each object its best prior, whatever the overlap
        for m in range(int((labels[b] > 0).sum())):
            n = int(iou[b, m].argmax())
            best[b, n], which[b, n] = 2, m
    picked = torch.gather(boxes, 1, which[..., None].expand(-1, -1, 4))
    target = torch.gather(labels, 1, which)
    target[best < threshold] = 0
    c = ((picked[..., :2] + picked[..., 2:]) / 2 - center) / size / variance[:, :2]
    s = torch.log(((picked[..., 2:] - picked[..., :2]) / size).clamp(min=1e-3)) / variance[:, 2:]
    return target, torch.cat([c, s], -1)


def loss(loc, conf, target, encoded):
    """Smooth L1 on matched priors, cross entropy on them and on the three hardest negatives for each."""
    positive = target > 0
    count = positive.sum().clamp(min=1)
    location = F.smooth_l1_loss(loc[positive], encoded[positive], reduction="sum")
    entropy = F.cross_entropy(conf.transpose(1, 2), target, reduction="none")
    negative = entropy.detach().masked_fill(positive, -1)
    rank = negative.argsort(1, descending=True).argsort(1)
    chosen = rank < (3 * positive.sum(1, keepdim=True))
    return (location + entropy[positive | chosen].sum()) / count


# ---- evaluation ----

def mean_average_precision(found, boxes, labels, classes, threshold=0.5):
    """found: per image [n,6]; boxes, labels: per image truth.  Area under the precision envelope, per class."""
    result = []
    for label in range(1, classes):
        entries, total = [], 0
        for i, (f, b, l) in enumerate(zip(found, boxes, labels)):
            truth = b[l == label]
            total += len(truth)
            used = np.zeros(len(truth), bool)
            mine = f[f[:, 0] == label]
            for row in mine[np.argsort(-mine[:, 1], kind="stable")]:
                overlap = iou_one_many(row[2:], truth) if len(truth) else np.zeros(0)
                j = int(overlap.argmax()) if len(truth) else -1
                hit = j >= 0 and overlap[j] >= threshold and not used[j]
                if hit:
                    used[j] = True
                entries.append((row[1], hit))
        entries.sort(key=lambda e: -e[0])
        hits = np.cumsum([h for _, h in entries]) if entries else np.zeros(0)
        recall = hits / max(total, 1)
        precision = hits / np.arange(1, len(hits) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        result.append(float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)))
    return float(np.mean(result)), result
