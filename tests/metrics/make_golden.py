#!/usr/bin/env python3
"""Expected values of the accuracy metrics, counted with numpy from the papers' definitions: makes golden.json beside it.

Needs numpy. The data are seeded: boxes that were moved, missed, doubled and invented, crowds, difficult ones, scores that are equal;
label maps with void pixels; class scores with ties. Nothing here is shared with the code under test.
"""
import json
import pathlib

import numpy as np

SIZES = {"all": (0, 1e10), "small": (0, 32 ** 2), "medium": (32 ** 2, 96 ** 2), "large": (96 ** 2, 1e10)}


def make_detections(rng, images=30, classes=4):
    data = []
    for _ in range(images):
        width, height = (int(v) for v in rng.integers(200, 640, 2))
        truth, found = [], []
        for _ in range(rng.integers(0, 7)):
            w, h = np.exp(rng.uniform(np.log(12), np.log(200), 2))
            w, h = min(w, width - 1), min(h, height - 1)
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            label = int(rng.integers(1, classes + 1))
            kind = rng.choice(["", "", "", "", "", "difficult", "crowd"])
            area = float(w * h * rng.uniform(0.5, 1)) if rng.random() < 0.7 else 0.0
            truth.append({"label": label, "box": [x / width, y / height, (x + w) / width, (y + h) / height], "kind": str(kind),
                          "area": area})
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                shift = rng.normal(0, 0.09, 4) * [w, h, w, h]
                b = np.array([x, y, x + w, y + h]) + shift
                other = label if rng.random() < 0.9 else int(rng.integers(1, classes + 1))
                found.append([other, score(rng), *(b / [width, height, width, height])])
        for _ in range(rng.integers(0, 5)):
            x, y = rng.uniform(0, 0.8, 2)
            found.append([int(rng.integers(1, classes + 1)), score(rng), x, y, x + rng.uniform(0.02, 0.2), y + rng.uniform(0.02, 0.2)])
        data.append({"width": width, "height": height, "truth": truth, "found": [[float(v) for v in f] for f in found]})
    # More than the 100 detections that COCO looks at, the right one last.
    crowd = [[1.0, float(np.float32(0.99 - 0.001 * i)), 0.6, 0.6, 0.7, 0.7] for i in range(110)]
    data.append({"width": 400, "height": 400, "truth": [{"label": 1, "box": [0.1, 0.1, 0.4, 0.4], "kind": "", "area": 0.0}],
                 "found": crowd + [[1.0, 0.0625, 0.1, 0.1, 0.4, 0.4]]})
    return data


def score(rng):
    return float(np.float32(np.round(rng.uniform(0.05, 1), 2)))  # two digits: many are equal


def overlaps(found, truth, crowd):
    """[found x truth]; of a crowd the share of the detection that lies in it."""
    f, t = found[:, None, :], truth[None, :, :]
    side = np.clip(np.minimum(f[..., 2:], t[..., 2:]) - np.maximum(f[..., :2], t[..., :2]), 0, None)
    both = side.prod(-1)
    area_f = (f[..., 2:] - f[..., :2]).prod(-1)
    area_t = (t[..., 2:] - t[..., :2]).prod(-1)
    return both / np.where(crowd[None, :], np.broadcast_to(area_f, both.shape), area_f + area_t - both)


def of_class(image, label):
    truth = [t for t in image["truth"] if t["label"] == label]
    found = sorted((f for f in image["found"] if f[0] == label), key=lambda f: -f[1])
    boxes = np.array([t["box"] for t in truth]).reshape(-1, 4)
    pixels = image["width"] * image["height"]
    own = (boxes[:, 2:] - boxes[:, :2]).prod(-1) * pixels
    given = np.array([t["area"] for t in truth])
    detected = np.array([f[2:] for f in found]).reshape(-1, 4)
    return {"crowd": np.array([t["kind"] == "crowd" for t in truth], bool),
            "difficult": np.array([t["kind"] == "difficult" for t in truth], bool),
            "area": np.where(given > 0, given, own), "truth": boxes, "found": detected,
            "found_area": (detected[:, 2:] - detected[:, :2]).prod(-1) * pixels,
            "score": np.array([f[1] for f in found], float)}


def voc(image):
    """(score, right) of the detections that count."""
    iou = overlaps(image["found"], image["truth"], image["crowd"])
    plain, crowd = np.where(image["crowd"], -1, iou), np.where(image["crowd"], iou, -1)
    seen, out = set(), []
    for d in range(len(image["found"])):
        best = int(plain[d].argmax()) if plain.shape[1] else -1
        hit = best >= 0 and plain[d, best] >= 0.5
        if hit and image["difficult"][best]:
            continue
        right = hit and best not in seen
        seen |= {best} if right else set()
        if not right and crowd.shape[1] and crowd[d].max() >= 0.5:
            continue
        out.append((image["score"][d], right))
    return out


def coco(image, threshold, size):
    low, high = SIZES[size]
    ignored = image["crowd"] | image["difficult"] | (image["area"] < low) | (image["area"] > high)
    iou = overlaps(image["found"], image["truth"], image["crowd"])[:100]
    free = np.ones(len(ignored), bool)
    out = []
    for d in range(len(iou)):
        for group in (~ignored, ignored):  # wanted boxes first
            fits = group & (free | image["crowd"]) & (iou[d] >= threshold)
            if fits.any():
                largest = iou[d][fits].max()
                chosen = np.flatnonzero(fits & (iou[d] == largest))[-1]
                free[chosen] = False
                if not ignored[chosen]:
                    out.append((image["score"][d], True))
                break
        else:
            if low <= image["found_area"][d] <= high:
                out.append((image["score"][d], False))
    return out, int((~ignored).sum())


def curve(found, wanted):
    right = np.array([r for _, r in sorted(found, key=lambda f: -f[0])], bool)  # sorted is stable
    hits = right.cumsum()
    precision = hits / np.arange(1, len(right) + 1)
    return hits / wanted, np.maximum.accumulate(precision[::-1])[::-1], right


def at_recalls(recall, envelope, points):
    index = np.searchsorted(recall, points, side="left")
    return np.mean([envelope[i] if i < len(envelope) else 0.0 for i in index])


def detection(data):
    thresholds = np.linspace(0.5, 0.95, 10)
    labels = sorted({t["label"] for image in data for t in image["truth"]})
    rows, sizes = [], {s: [] for s in ("small", "medium", "large")}
    for label in labels:
        images = [of_class(image, label) for image in data]
        wanted = sum(int((~i["crowd"] & ~i["difficult"]).sum()) for i in images)
        if wanted == 0:
            continue
        recall, envelope, right = curve([f for i in images for f in voc(i)], wanted)
        row = {"label": label, "wanted": wanted, "found": sum(len(i["found"]) for i in images),
               "ap50": 100 * float(envelope[right].sum() / wanted),
               "ap50_voc07": 100 * float(np.mean([envelope[recall >= t - 1e-12].max(initial=0) for t in np.arange(11) / 10]))}
        per_iou, recalls = [], []
        for threshold in thresholds:
            parts = [coco(i, min(threshold, 1 - 1e-10), "all") for i in images]
            r, e, _ = curve([f for part, _ in parts for f in part], wanted)
            per_iou.append(100 * at_recalls(r, e, np.linspace(0, 1, 101)))
            recalls.append(100 * (r[-1] if len(r) else 0.0))
        row.update(ap=float(np.mean(per_iou)), ap50_coco=float(per_iou[0]), ap75=float(per_iou[5]), recall=float(np.mean(recalls)))
        rows.append(row)
        for size in sizes:
            values = []
            for threshold in thresholds:
                parts = [coco(i, threshold, size) for i in images]
                count = sum(c for _, c in parts)
                if count:
                    r, e, _ = curve([f for part, _ in parts for f in part], count)
                    values.append(100 * at_recalls(r, e, np.linspace(0, 1, 101)))
            if values:
                sizes[size].append(float(np.mean(values)))
    mean = lambda key: float(np.mean([row[key] for row in rows]))  # noqa: E731
    return {"map50": mean("ap50"), "map_voc07": mean("ap50_voc07"), "map": mean("ap"), "map50_coco": mean("ap50_coco"),
            "map75": mean("ap75"), "recall": mean("recall"),
            **{f"map_{size}": float(np.mean(values)) for size, values in sizes.items()}, "classes": rows}


def segmentation(rng, images=3, classes=5):
    data, confusion, void, pixels = [], np.zeros((classes, classes), np.int64), 0, 0
    for _ in range(images):
        height, width = (int(v) for v in rng.integers(11, 24, 2))
        truth = rng.integers(0, classes - 1, (height, width))  # the last class is in the results only
        truth[rng.random(truth.shape) < 0.1] = 255
        truth[rng.random(truth.shape) < 0.03] = classes + 3    # a number that the network does not have
        h, w = (int(v) for v in rng.integers(5, 13, 2))
        scores = rng.integers(-8, 9, (classes, h, w)).astype(np.float32) / 4  # ties: the first wins
        rows = ((np.arange(height) + 0.5) * h / height).astype(int)
        columns = ((np.arange(width) + 0.5) * w / width).astype(int)
        found = scores.argmax(0)[rows][:, columns]
        counts = truth < classes
        confusion += np.bincount(truth[counts] * classes + found[counts], minlength=classes ** 2).reshape(classes, classes)
        void += int((~counts).sum())
        pixels += truth.size
        data.append({"width": width, "height": height, "truth": truth.ravel().tolist(), "scores": scores.ravel().tolist(),
                     "shape": [classes, h, w]})
    hits, union = np.diag(confusion), confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
    return {"images": data, "miou": 100 * float(np.mean(hits[union > 0] / union[union > 0])),
            "pixel_accuracy": 100 * float(hits.sum() / confusion.sum()), "void_percent": 100 * void / pixels,
            "iou": [100 * float(v) for v in hits / np.maximum(union, 1)]}


def classification(rng, images=40, classes=9):
    scores = rng.integers(0, 12, (images, classes)).astype(np.float32) / 8
    labels = rng.integers(0, classes, images)
    order = np.argsort(-scores, axis=1, kind="stable")
    return {"scores": scores.tolist(), "labels": labels.tolist(), "top1": 100 * float((order[:, 0] == labels).mean()),
            "top5": 100 * float((order[:, :5] == labels[:, None]).any(1).mean())}


def main():
    rng = np.random.default_rng(3)
    data = make_detections(rng)
    golden = {"detection": {"images": data, "expected": detection(data)}, "segmentation": segmentation(rng),
              "classification": classification(rng)}
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
