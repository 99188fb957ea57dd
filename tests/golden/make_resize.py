"""Bilinear resize of 8-bit images: tests/golden/image/resize.json. With --check-opencv compares with cv2.resize instead."""
import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [  # source width, height, channels -> width, height
    (7, 5, 3, 7, 5), (7, 5, 3, 14, 10), (8, 6, 3, 4, 3), (9, 7, 1, 4, 3), (5, 3, 3, 16, 13), (13, 11, 3, 8, 5), (1, 1, 3, 4, 3),
    (12, 1, 1, 5, 4), (1, 9, 1, 3, 4), (23, 17, 3, 10, 16), (31, 4, 1, 3, 12),
]


def weights(source, target):
    """Indices of the two taps and their weights in 1/2048: half-pixel centres in float32, edges repeated."""
    centre = ((np.arange(target) + 0.5) * (1.0 / (target / source)) - 0.5).astype(np.float32)
    first = np.floor(centre)
    part = centre - first
    first = first.astype(np.int64)
    taps = np.clip(np.stack([first, first + 1]), 0, source - 1)
    return taps, np.rint(np.stack([np.float32(1) - part, part]) * np.float32(2048)).astype(np.int64)


def resize(image, width, height):
    """Columns exactly, then rows: the sums lose 4 bits, each product the 16 lowest, and the last 2 bits round."""
    taps, w = weights(image.shape[1], width)
    rows = (image.astype(np.int64)[:, taps] * w[None, :, :, None]).sum(axis=1)
    taps, w = weights(image.shape[0], height)
    parts = ((rows >> 4)[taps] * w[:, :, None, None]) >> 16
    return ((parts.sum(axis=0) + 2) >> 2).astype(np.uint8)


def picture(rng, width, height, channels):
    return rng.randint(0, 256, size=(height, width, channels)).astype(np.uint8)


def check_opencv():
    import cv2
    rng = np.random.RandomState(2)
    worst = different = total = 0
    for _ in range(1000):
        w, h, width, height = (int(v) for v in rng.randint(1, 120, size=4))
        image = picture(rng, w, h, int(rng.choice([1, 3])))
        theirs = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
        difference = np.abs(theirs.astype(int) - resize(image, width, height))
        worst, different, total = max(worst, difference.max()), different + (difference > 0).sum(), total + difference.size
    print(f"OpenCV {cv2.__version__}: {different} of {total} values differ, by {worst} at most")


def main():
    rng = np.random.RandomState(1)
    cases = []
    for w, h, channels, width, height in SIZES:
        image = picture(rng, w, h, channels)
        cases.append({"from": [w, h, channels], "to": [width, height], "pixels": image.ravel().tolist(),
                      "resized": resize(image, width, height).ravel().tolist()})
    with open(os.path.join(HERE, "image", "resize.json"), "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


if __name__ == "__main__":
    check_opencv() if "--check-opencv" in sys.argv else main()
