"""Runs the stored networks in OpenCV's Caffe importer, an independent engine, and compares every interesting blob.

Needs opencv-python-headless 4.x, which nothing else here needs.  Exits with 1 when a difference exceeds the tolerance.
"""
import os
import sys

import cv2
import numpy as np
import torch

import evaluate
import make_data
import train_classifier
import train_detector

TOLERANCE = 1e-4
BLOBS = {"classifier": ["pool1", "fire3/concat", "bypass_5", "conv6/dw", "pool6", "conv10", "prob"],
         "detector": ["conv6", "conv8", "conv10", "mbox_loc", "mbox_conf_flatten", "mbox_priorbox", "detection_out"]}
# OpenCV fuses in-place layers: ask for the layer that writes the blob last
LAST = {"classifier": {"conv6/dw": "conv6/dw/relu"},
        "detector": {"conv6": "conv6/relu", "conv8": "conv8/relu", "conv10": "conv10/relu"}}


def compare(name, images, prepare):
    folder = os.path.join(make_data.HERE, "..", name)
    model = make_data.load_net(name)
    other = cv2.dnn.readNetFromCaffe(os.path.join(folder, "deploy.prototxt"), os.path.join(folder, "net.caffemodel"))
    worst = dict.fromkeys(BLOBS[name], 0.0)
    largest = dict.fromkeys(BLOBS[name], 0.0)
    for image in images:
        x = prepare(torch.from_numpy(image[None]))
        other.setInput(x.numpy())
        ask = [LAST[name].get(b, b) for b in BLOBS[name]]
        theirs = dict(zip(BLOBS[name], other.forward(ask)))
        with torch.no_grad():
            ours = model(x)
        for b in BLOBS[name]:
            a, c = ours[b].numpy().ravel(), theirs[b].ravel()
            if b == "detection_out":
                # OpenCV sorts by score alone, and fills up to keep_top_k with rows of zeros
                a, c = a.reshape(-1, 7), c.reshape(-1, 7)
                a, c = a[np.argsort(-a[:, 2])].ravel(), c[c[:, 1] > 0].ravel()
            if a.size != c.size:
                print(f"{name} {b}: {a.size} values against {c.size}")
                worst[b] = float("inf")
                continue
            worst[b] = max(worst[b], float(np.abs(a - c).max()) if a.size else 0.0)
            largest[b] = max(largest[b], float(np.abs(a).max()) if a.size else 0.0)
    print(f"{name}, {len(images)} images, OpenCV {cv2.__version__}:")
    for b in BLOBS[name]:
        print(f"  {b:20s} largest value {largest[b]:10.4f}  largest difference {worst[b]:.2e}")
    return max(worst.values()) <= TOLERANCE


def main():
    good = compare("classifier", evaluate.committed_classifier()[0], train_classifier.prepare)
    good &= compare("detector", evaluate.committed_detector()[0], train_detector.prepare)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
