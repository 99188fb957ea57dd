"""Trains the detector and writes deploy.prototxt, net.caffemodel and labels.txt."""
import argparse
import os
import time

import numpy as np
import torch

import caffe_format
import dataset
import nets
import render
import ssd
from caffe_net import CaffeNet


def prepare(images):
    mean = torch.tensor(nets.DETECTOR_MEAN).view(1, 3, 1, 1)
    return (images.float() - mean) * nets.DETECTOR_NORM


def augment(images, boxes):
    """Shift by up to seven pixels (edges repeated; the boxes move along), gain, offset and noise."""
    n, _, _, size = images.shape
    padded = torch.nn.functional.pad(images.float(), (7, 7, 7, 7), mode="replicate")
    dy, dx = torch.randint(0, 15, (2,)).tolist()
    x = padded[:, :, dy:dy + size, dx:dx + size]
    move = torch.tensor([7 - dx, 7 - dy, 7 - dx, 7 - dy]) / size
    x = x * (0.75 + 0.5 * torch.rand(n, 3, 1, 1)) + 30 * (torch.rand(n, 1, 1, 1) - 0.5)
    x = (x + 5 * torch.rand(n, 1, 1, 1) * torch.randn(x.shape)).clamp(0, 255)
    return x, (boxes + move).clamp(0, 1)


def detect(model, images):
    """Per image the rows [n, 6] of DetectionOutput."""
    model.eval()
    found = []
    with torch.no_grad():
        for i in range(0, len(images), 50):
            rows = model(prepare(torch.from_numpy(images[i:i + 50])))["detection_out"][0, 0].numpy()
            found += [rows[rows[:, 0] == k, 1:] for k in range(len(images[i:i + 50]))]
    return found


def evaluate(model, images, boxes, labels):
    return ssd.mean_average_precision(detect(model, images), boxes, labels, len(render.DETECTOR_LABELS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", default="work", help="folder for rendered sets")
    parser.add_argument("--out", default="../detector")
    args = parser.parse_args()
    torch.manual_seed(2)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(2)
    images, boxes, labels = [torch.from_numpy(a) for a in dataset.detector_set("train", args.images, args.work)]
    valid = dataset.detector_set("valid", 200, args.work)

    model = CaffeNet(nets.detector())
    prior = model.eval()(torch.zeros(1, 3, render.DETECTOR_SIZE, render.DETECTOR_SIZE))["mbox_priorbox"][0].numpy()
    batch, start = 32, time.time()
    steps = args.epochs * (len(images) // batch)
    decayed = [p for p in model.parameters() if p.ndim == 4]
    others = [p for p in model.parameters() if p.ndim != 4]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0}], 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(args.epochs):
        model.train()
        order = torch.from_numpy(rng.permutation(len(images)))
        total = 0.0
        for i in range(len(images) // batch):
            index = order[i * batch:(i + 1) * batch]
            x, moved = augment(images[index], boxes[index])
            target, encoded = ssd.match(prior, moved, labels[index])
            blobs = model(prepare(x), until="mbox_conf_reshape")
            value = ssd.loss(blobs["mbox_loc"].view(len(x), -1, 4), blobs["mbox_conf_reshape"], target, encoded)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += float(value)
        mean, _ = evaluate(model, *valid)
        print(f"epoch {epoch + 1}: loss {total / (len(images) // batch):.3f}, validation mAP@0.5 {mean:.4f}, "
              f"{time.time() - start:.0f} s", flush=True)
        os.makedirs(args.out, exist_ok=True)
        caffe_format.save_net(model.to_caffe(), os.path.join(args.out, "deploy.prototxt"),
                              os.path.join(args.out, "net.caffemodel"))
    with open(os.path.join(args.out, "labels.txt"), "w") as f:
        f.write("\n".join(render.DETECTOR_LABELS) + "\n")


if __name__ == "__main__":
    main()
