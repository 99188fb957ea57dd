"""Draws the committed calibration and test images, and computes the expected outputs of three test images a network.

Also writes preprocess.txt.  The images have exactly the networks' sizes, so that
no resize comes between a file and the network's input.
"""
import json
import os
import shutil

import numpy as np
import torch
from PIL import Image

import caffe_format
import nets
import render
import train_classifier
import train_detector
from caffe_net import CaffeNet

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = 3


def fresh_folder(*parts):
    path = os.path.join(HERE, "..", *parts)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def load_net(name):
    folder = os.path.join(HERE, "..", name)
    net = caffe_format.load_net(os.path.join(folder, "deploy.prototxt"), os.path.join(folder, "net.caffemodel"))
    return CaffeNet(net).eval()


def pixels(path, order):
    """A file as uint8 [1,3,H,W] in the order "RGB" or "BGR"."""
    rgb = np.asarray(Image.open(path).convert("RGB"))
    return np.ascontiguousarray((rgb if order == "RGB" else rgb[:, :, ::-1]).transpose(2, 0, 1)[None])


def save_expected(folder, stem, blobs):
    for name, value in blobs.items():
        np.save(os.path.join(folder, f"{stem}.{name}.npy"), value.numpy().astype(np.float32))


def save_preprocessing(name, mean, norm, size, order):
    with open(os.path.join(HERE, "..", name, "preprocess.txt"), "w") as f:
        f.write(f"--mean {','.join('%g' % m for m in mean)} --norm {norm} --size {size}x{size} --pixel {order}\n")


def make_classifier():
    save_preprocessing("classifier", nets.CLASSIFIER_MEAN, nets.CLASSIFIER_NORM, render.CLASSIFIER_SIZE, "BGR")
    calib, test = fresh_folder("classifier", "calib"), fresh_folder("classifier", "test")
    names = []
    for i in range(48):
        # steps of 7 walk through all 30 classes
        rgb, label = render.classifier_image("calib", 7 * i)
        names.append(f"{i:02d}_{render.CLASSIFIER_LABELS[label]}.jpg")
        Image.fromarray(rgb).save(os.path.join(calib, names[-1]), quality=92, subsampling=0)
    with open(os.path.join(calib, "calib.txt"), "w") as f:
        f.write("\n".join(names) + "\n")
    lines = []
    for i in range(48):
        rgb, label = render.classifier_image("test", 10007 + 7 * i)
        lines.append(f"{i:02d}_{render.CLASSIFIER_LABELS[label]}.png {label}")
        Image.fromarray(rgb).save(os.path.join(test, lines[-1].split()[0]), optimize=True)
    with open(os.path.join(test, "test.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")

    expected, model = fresh_folder("classifier", "expected"), load_net("classifier")
    with torch.no_grad():
        for line in lines[:EXPECTED]:
            name = line.split()[0]
            x = train_classifier.prepare(torch.from_numpy(pixels(os.path.join(test, name), "BGR")))
            save_expected(expected, name[:-4], {"prob": model(x)["prob"].flatten()})


def make_detector():
    save_preprocessing("detector", nets.DETECTOR_MEAN, nets.DETECTOR_NORM, render.DETECTOR_SIZE, "RGB")
    size = render.DETECTOR_SIZE
    calib, test = fresh_folder("detector", "calib"), fresh_folder("detector", "test")
    names = []
    for i in range(24):
        names.append(f"{i:02d}.jpg")
        Image.fromarray(render.detector_scene("calib", i)[0]).save(os.path.join(calib, names[-1]), quality=90)
    with open(os.path.join(calib, "calib.txt"), "w") as f:
        f.write("\n".join(names) + "\n")
    coco = {"info": {"description": "Rendered road signs"}, "images": [], "annotations": [],
            "categories": [{"id": i, "name": n} for i, n in enumerate(render.DETECTOR_LABELS) if i]}
    for i in range(32):
        rgb, boxes, labels = render.detector_scene("test", 10007 + i)
        # a JPEG is decoded a little differently by every library; the exact ones are PNG
        name = f"{i:02d}.png" if i < EXPECTED else f"{i:02d}.jpg"
        Image.fromarray(rgb).save(os.path.join(test, name), **({"optimize": True} if i < EXPECTED else {"quality": 90}))
        coco["images"].append({"id": i + 1, "file_name": name, "height": size, "width": size})
        for (x0, y0, x1, y1), label in zip(boxes.tolist(), labels.tolist()):
            coco["annotations"].append({"id": len(coco["annotations"]) + 1, "image_id": i + 1, "category_id": label,
                                        "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0})
    with open(os.path.join(test, "test.json"), "w") as f:
        json.dump(coco, f, indent=1)
        f.write("\n")

    expected, model = fresh_folder("detector", "expected"), load_net("detector")
    with torch.no_grad():
        for image in coco["images"][:EXPECTED]:
            name = image["file_name"]
            blobs = model(train_detector.prepare(torch.from_numpy(pixels(os.path.join(test, name), "RGB"))))
            save_expected(expected, name[:-4], {
                "mbox_loc": blobs["mbox_loc"].flatten(), "mbox_conf_flatten": blobs["mbox_conf_flatten"].flatten(),
                "detection_out": blobs["detection_out"][0, 0][:, 1:]})


if __name__ == "__main__":
    make_classifier()
    make_detector()
