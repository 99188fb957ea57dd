"""ROIPooling, PSROIPooling, ROIAlign."""
import math

import numpy as np

from golden_common import Golden, f64


def half_away(v):
    """C's round()."""
    return math.floor(abs(v) + 0.5) * (1 if v >= 0 else -1)


def grid(low, high, count, scale, sensitive, extent):
    """[begin, end) of each cell along one axis."""
    if sensitive:
        start = half_away(low) * scale
        step = max(half_away(high + 1) * scale - start, 0.1) / count
    else:
        start = half_away(low * scale)
        step = max(half_away(high * scale) - start + 1, 1) / count
    cut = lambda v: int(min(max(v, 0), extent))
    return [(cut(math.floor(start + k * step)), cut(math.ceil(start + (k + 1) * step))) for k in range(count)]


def pool(x, rois, pw, ph, scale, out_dim=None):
    channels = out_dim or x.shape[0]
    y = np.zeros((len(rois), channels, ph, pw))
    for r, (x1, y1, x2, y2) in enumerate(rois):
        columns = grid(x1, x2, pw, scale, out_dim is not None, x.shape[2])
        rows = grid(y1, y2, ph, scale, out_dim is not None, x.shape[1])
        for c in range(channels):
            for i, (top, bottom) in enumerate(rows):
                for j, (left, right) in enumerate(columns):
                    part = f64(x)[c if out_dim is None else (c * ph + i) * pw + j, top:bottom, left:right]
                    if part.size:
                        y[r, c, i, j] = part.max() if out_dim is None else part.mean()
    return y[0] if len(rois) == 1 else y


def cases(name, out_dim):
    g = Golden(name)

    def case(label, shape, rois, pw, ph, scale, index=False, flat=False, note=None):
        x = g.rng.distinct(*shape)
        boxes = np.array(rois, np.float32)
        rows = np.concatenate([np.zeros((len(rois), 1), np.float32), boxes], axis=1) if index else boxes
        params = {0: pw, 1: ph, 2: scale}
        if out_dim:
            params[3] = out_dim
        g.one(label, params, [x, rows[0] if flat else rows], pool(x, boxes.tolist(), pw, ph, scale, out_dim), note=note)

    maps = lambda pw, ph, c=3: (out_dim * pw * ph) if out_dim else c
    case("one_region", (maps(2, 2), 8, 9), [[0, 0, 7, 5]], 2, 2, 1.0)
    case("flat_region", (maps(3, 2), 8, 9), [[1, 2, 6, 7]], 3, 2, 1.0, flat=True)
    case("scaled", (maps(2, 3), 6, 7), [[10, 20, 90, 70], [0, 0, 100, 95], [33, 17, 65, 49]], 2, 3, 0.0625, note="three regions of a picture of 112 x 96")
    case("caffe_rows", (maps(2, 2), 6, 7), [[10, 20, 90, 70], [0, 0, 100, 95]], 2, 2, 0.0625, index=True)
    case("caffe_row", (maps(2, 2), 6, 7), [[10, 20, 90, 70]], 2, 2, 0.0625, index=True, flat=True)
    case("smaller_than_the_grid", (maps(4, 4), 5, 5), [[2, 2, 3, 3]], 4, 4, 1.0)
    case("beyond_the_map", (maps(2, 2), 5, 5), [[3, 3, 20, 20], [-9, -9, -5, -5], [4, 4, 1, 1]], 2, 2, 1.0, note="cells with nothing on the map are 0; a box turned round")
    g.write()


def bilinear(m, y, x):
    """The four weighted points of every channel at a place of the map, 0 beyond its border."""
    h, w = m.shape[1:]
    if not (-1 <= y <= h and -1 <= x <= w):
        return np.zeros((4, len(m)))
    y, x = min(max(y, 0), h - 1), min(max(x, 0), w - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
    wy, wx = y - top, x - left
    return np.array([(1 - wy) * (1 - wx) * m[:, top, left], (1 - wy) * wx * m[:, top, right], wy * (1 - wx) * m[:, bottom, left], wy * wx * m[:, bottom, right]])


def align(x, rois, pw, ph, scale, ratio, aligned, largest):
    y = np.zeros((len(rois), len(x), ph, pw))
    shift = 0.5 if aligned else 0
    for r, box in enumerate(rois):
        x1, y1, x2, y2 = (v * scale - shift for v in box)
        width, height = ((b - a if aligned else max(b - a, 1)) / n for a, b, n in ((x1, x2, pw), (y1, y2, ph)))
        columns, rows = (ratio or max(math.ceil(v), 0) for v in (width, height))
        for i in range(ph):
            for j in range(pw):
                samples = [bilinear(f64(x), y1 + (i + (k + 0.5) / rows) * height, x1 + (j + (m + 0.5) / columns) * width)
                           for k in range(rows) for m in range(columns)]
                if samples:
                    y[r, :, i, j] = np.max(samples, axis=(0, 1)) if largest else np.sum(samples, axis=1).mean(axis=0)
    return y[0] if len(rois) == 1 else y


def align_cases():
    g = Golden("ROIAlign")

    def case(label, shape, rois, pw, ph, scale, ratio=0, aligned=0, largest=0, index=False, note=None):
        x = g.rng.distinct(*shape)
        boxes = np.array(rois, np.float32)
        rows = np.concatenate([np.zeros((len(rois), 1), np.float32), boxes], axis=1) if index else boxes
        g.one(label, {0: pw, 1: ph, 2: scale, 3: ratio, 4: aligned, 5: 1, 24: largest}, [x, rows],
              align(x, boxes.tolist(), pw, ph, scale, ratio, aligned, largest), note=note)

    case("one_region", (3, 8, 9), [[0.25, 0.5, 7.25, 5.75]], 2, 2, 1.0)
    case("aligned", (3, 6, 7), [[10, 20, 90, 70], [0, 0, 100, 95], [33, 17, 65, 49]], 2, 3, 0.0625, aligned=1)
    case("ratio", (2, 6, 7), [[10, 20, 90, 70], [0, 0, 100, 95]], 3, 2, 0.0625, ratio=3)
    case("aligned_ratio_caffe_rows", (2, 6, 7), [[10, 20, 90, 70], [0, 0, 100, 95]], 3, 2, 0.0625, ratio=2, aligned=1, index=True)
    case("maximum", (3, 8, 9), [[0.25, 0.5, 7.25, 5.75], [1, 1, 3, 2]], 2, 2, 1.0, largest=1)
    case("maximum_aligned_ratio", (3, 8, 9), [[1, 0.5, 6.5, 7]], 3, 3, 1.0, ratio=2, aligned=1, largest=1)
    case("smaller_than_the_grid", (3, 5, 5), [[2, 2, 2.25, 2.25]], 4, 4, 1.0, aligned=1)
    case("beyond_the_map", (2, 5, 5), [[3, 3, 20, 20], [-9, -9, -5, -5], [-2, -2, 2, 2]], 2, 2, 1.0, note="samples off the map are 0")
    case("beyond_the_map_maximum", (2, 5, 5), [[3, 3, 20, 20], [-9, -9, -5, -5], [-2, -2, 2, 2]], 2, 2, 1.0, largest=1)
    case("turned_round", (2, 5, 5), [[4, 4, 1, 1], [4, 1, 1, 3]], 2, 2, 1.0, aligned=1, note="no sample at all: 0")
    case("wide", (2, 5, 5), [[-300, -300, 300, 300]], 2, 2, 1.0, note="a region far larger than the map")
    g.write()


if __name__ == "__main__":
    align_cases()
    cases("ROIPooling", None)
    cases("PSROIPooling", 2)
