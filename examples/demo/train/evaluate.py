"""Accuracy of the stored networks, read back from their Caffe files, on fresh held-out images and on the committed ones."""
import argparse
import json
import os

import numpy as np
import torch

import dataset
import make_data
import render
import train_classifier
import train_detector


def committed_classifier():
    folder = os.path.join(make_data.HERE, "..", "classifier", "test")
    lines = [line.split() for line in open(os.path.join(folder, "test.txt"))]
    images = np.concatenate([make_data.pixels(os.path.join(folder, name), "BGR") for name, _ in lines])
    return images, np.array([int(label) for _, label in lines])


def committed_detector():
    folder = os.path.join(make_data.HERE, "..", "detector", "test")
    coco = json.load(open(os.path.join(folder, "test.json")))
    images, boxes, labels = [], [], []
    for image in coco["images"]:
        images.append(make_data.pixels(os.path.join(folder, image["file_name"]), "RGB"))
        mine = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        b = np.array([a["bbox"] for a in mine], np.float32).reshape(-1, 4)
        b[:, 2:] += b[:, :2]
        boxes.append(b / render.DETECTOR_SIZE)
        labels.append(np.array([a["category_id"] for a in mine], np.int64))
    return np.concatenate(images), boxes, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier-images", type=int, default=1500)
    parser.add_argument("--detector-images", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", default="work", help="folder for rendered sets")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    model = make_data.load_net("classifier")
    with torch.no_grad():
        macs, layers = model.macs_and_layers(torch.zeros(1, 3, render.CLASSIFIER_SIZE, render.CLASSIFIER_SIZE))
    print(f"classifier: {layers} layers, {macs / 1e6:.1f} MMAC")
    sets = [("fresh", dataset.classifier_set("test", args.classifier_images, args.work)), ("committed", committed_classifier())]
    for what, (images, labels) in sets:
        top1, confidence = train_classifier.accuracy(model, images, labels)
        print(f"  {len(images)} {what} images: top-1 {100 * top1:.2f} %, mean probability of the winner {confidence:.3f}")

    model = make_data.load_net("detector")
    with torch.no_grad():
        macs, layers = model.macs_and_layers(torch.zeros(1, 3, render.DETECTOR_SIZE, render.DETECTOR_SIZE))
    print(f"detector: {layers} layers, {macs / 1e6:.1f} MMAC")
    sets = [("fresh", dataset.detector_set("test", args.detector_images, args.work)), ("committed", committed_detector())]
    for what, (images, boxes, labels) in sets:
        mean, each = train_detector.evaluate(model, images, boxes, labels)
        print(f"  {len(images)} {what} images: mAP@0.5 {mean:.4f}")
        print("    " + ", ".join(f"{n} {ap:.3f}" for n, ap in zip(render.DETECTOR_LABELS[1:], each)))


if __name__ == "__main__":
    main()
