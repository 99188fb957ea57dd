#!/usr/bin/env python3
"""Writes threshold_golden.json: clipping ranges of every method, computed by numpy from the values themselves.

Independent of src/quant: it follows the definitions in threshold.h and histogram.h with a plain loop over candidates.
python3 tests/quant/make_threshold_golden.py
"""
import json
import pathlib

import numpy as np

FINE, FINAL = 8192, 2048
PERCENTILE = 99.0  # of 600 values: cuts some


def fine_bins(values):
    """(centre, count) of the power-of-two bins that hold |values| in 8192 bins a side, narrowest that fit."""
    exponent = int(np.floor(np.log2(np.abs(values).max() / FINE)))
    while np.abs(values).max() >= 2.0 ** exponent * FINE:
        exponent += 1
    width = 2.0 ** exponent
    index = np.floor(np.abs(values) / width)
    centres = np.sign(values) * (index + 0.5) * width
    return np.unique(centres, return_counts=True)


def final_bins(values, lo, hi):
    centres, counts = fine_bins(values[values != 0])
    width = (hi - lo) / FINAL
    index = np.clip(((centres - lo) / width).astype(int), 0, FINAL - 1)
    out = np.zeros(FINAL)
    np.add.at(out, index, counts)
    return out, width


def divergence(counts, begin, end, levels):
    """KL(P || Q) as the TensorRT talk has it: outliers join P's last bins, Q is the kept part in `levels` groups."""
    kept = counts[begin:end]
    p = kept.copy()
    p[0] += counts[:begin].sum()
    p[-1] += counts[end:].sum()
    starts = np.arange(levels) * (end - begin) // levels
    sizes = np.diff(np.append(starts, end - begin))
    filled = np.add.reduceat(p > 0, starts, dtype=float)
    mass = np.add.reduceat(kept, starts)
    level = np.where(mass > 0, mass, 1e-4) / np.maximum(filled, 1)
    q = np.where(p > 0, np.repeat(level, sizes), 0)
    if kept.sum() == 0:
        return np.inf
    p, q = p / p.sum(), q / kept.sum()
    at = p > 0
    return (p[at] * np.log(p[at] / q[at])).sum()


def square_error(counts, begin, end, levels):
    centres = np.arange(len(counts)) + 0.5
    distance = np.maximum(begin - centres, 0) + np.maximum(centres - end, 0)
    return ((end - begin) / levels) ** 2 / 12 * counts[begin:end].sum() + (counts * distance ** 2).sum()


def search(cost, counts, levels, least, both, zero):
    ends = range(max(least, zero + 1 if both else 1), len(counts) + 1)
    end = min(ends, key=lambda e: cost(counts, 0, e, levels))
    if not both:
        return 0, end
    return min(range(0, min(zero, end - least) + 1), key=lambda b: cost(counts, b, end, levels)), end


def lambert(x):
    k = 1.0
    for _ in range(200):
        k = np.log(x / k) if x / k > 1 else k / 2
    return k


def clip(values, images, method, symmetric):
    lo, hi = min(0.0, values.min()), max(0.0, values.max())
    if method == "moving-minmax":
        ranges = [(min(0.0, i.min()), max(0.0, i.max())) for i in images]
        lo, hi = ranges[0]
        for a, b in ranges[1:]:
            lo, hi = 0.99 * lo + 0.01 * a, 0.99 * hi + 0.01 * b
        reach = max(-lo, hi)
        return (-reach, reach) if symmetric else (lo, hi)
    one_sided = lo == 0 or hi == 0
    if symmetric or one_sided:
        absolute = np.abs(values)
        top = absolute.max()
        counts, width = final_bins(absolute, 0, top)
        levels = 128 if symmetric else 256
        if method == "minmax":
            t = top
        elif method == "kl":
            end = search(divergence, counts, levels, levels, False, 0)[1]
            t = top if end == FINAL else (end + 0.5) * width
        elif method == "mse":
            end = search(square_error, counts, levels, 1, False, 0)[1]
            t = top if end == FINAL else end * width
        elif method == "percentile":
            t = np.sort(absolute)[int(np.ceil(len(values) * PERCENTILE / 100)) - 1]
        else:
            if symmetric:
                t = abs(values.mean()) + np.abs(values - values.mean()).mean() * lambert(3 * 65536)
            else:
                t = absolute[absolute > 0].mean() * lambert(12 * 65536)
            t = min(t, top)
        return (-t, t) if symmetric else (0, t) if hi > 0 else (-t, 0)
    counts, width = final_bins(values, lo, hi)
    zero = min(max(int(-lo / width), 0), FINAL - 1)
    if method == "minmax":
        return lo, hi
    if method in ("kl", "mse"):
        cost, least = (divergence, 256) if method == "kl" else (square_error, 1)
        begin, end = search(cost, counts, 256, least, True, zero)
        return (min(0, lo + begin * width) if begin > 0 else lo), (max(0, lo + end * width) if end < FINAL else hi)
    if method == "percentile":
        tail = len(values) * (1 - PERCENTILE / 100)
        ordered = np.sort(values)
        return min(0, ordered[int(np.floor(tail + 1e-9))]), max(0, ordered[-1 - int(np.floor(tail + 1e-9))])
    reach = np.abs(values - values.mean()).mean() * lambert(3 * 65536)
    return max(lo, values.mean() - reach), min(hi, values.mean() + reach)


def main():
    rng = np.random.default_rng(8)
    sets = {"laplace": rng.laplace(0.1, 0.4, 600), "rectified": np.maximum(rng.normal(-0.2, 2, 600), 0) + 0.0,
            "skewed": rng.gamma(1.5, 1.0, 600) - 0.5, "below_zero": -rng.exponential(0.05, 600)}
    out = {"percentile": PERCENTILE, "sets": []}
    for name, values in sets.items():
        values = np.round(values, 4).astype(np.float32).astype(np.float64)
        images = values.reshape(6, 100)
        cases = [{"method": m, "symmetric": s, "range": [float(v) for v in clip(values, images, m, s)]}
                 for m in ("kl", "minmax", "moving-minmax", "percentile", "mse", "aciq") for s in (False, True)]
        out["sets"].append({"name": name, "values": [round(float(v), 4) for v in values], "cases": cases})
    path = pathlib.Path(__file__).with_name("threshold_golden.json")
    path.write_text(json.dumps(out).replace('{"name"', '\n{"name"').replace('{"method"', '\n {"method"') + "\n")


if __name__ == "__main__":
    main()
