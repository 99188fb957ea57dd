"""Trains the classifier and writes deploy.prototxt, net.caffemodel and labels.txt."""
import argparse
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import caffe_format
import dataset
import nets
import render
from caffe_net import CaffeNet, fold_batchnorm


def prepare(images):
    mean = torch.tensor(nets.CLASSIFIER_MEAN).view(1, 3, 1, 1)
    return (images.float() - mean) * nets.CLASSIFIER_NORM


def augment(images, rng):
    """Shift by up to four pixels (edges repeated), gain, offset and noise."""
    padded = F.pad(images.float(), (4, 4, 4, 4), mode="replicate")
    dy, dx = rng.integers(0, 9, 2)
    size = images.shape[-1]
    x = padded[:, :, dy:dy + size, dx:dx + size]
    n = len(x)
    x = x * (0.75 + 0.5 * torch.rand(n, 3, 1, 1)) + 30 * (torch.rand(n, 1, 1, 1) - 0.5)
    return (x + 6 * torch.rand(n, 1, 1, 1) * torch.randn(x.shape)).clamp(0, 255)


def accuracy(model, images, labels, output="prob"):
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(prepare(torch.from_numpy(images[i:i + 100])))[output].flatten(1)
                           for i in range(0, len(images), 100)])
    return float((found.argmax(1).numpy() == labels).mean()), float(found.amax(1).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=45000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", default="work", help="folder for rendered sets")
    parser.add_argument("--out", default="../classifier")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(1)
    images, labels = dataset.classifier_set("train", args.images, args.work)
    valid = dataset.classifier_set("valid", 900, args.work)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)

    model = CaffeNet(nets.classifier(batchnorm=True))
    batch, start = 64, time.time()
    steps = args.epochs * (len(images) // batch)
    decayed = [p for p in model.parameters() if p.ndim == 4]
    others = [p for p in model.parameters() if p.ndim != 4]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0}], 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(args.epochs):
        model.train()
        order = torch.from_numpy(rng.permutation(len(images)))
        total = 0.0
        for i in range(len(images) // batch):
            index = order[i * batch:(i + 1) * batch]
            logits = model(prepare(augment(images[index], rng)), until="pool10")["pool10"].flatten(1)
            value = F.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += float(value)
        top1, _ = accuracy(model, *valid)
        print(f"epoch {epoch + 1}: loss {total / (len(images) // batch):.3f}, validation top-1 {top1:.4f}, "
              f"{time.time() - start:.0f} s", flush=True)
        os.makedirs(args.out, exist_ok=True)
        deploy = fold_batchnorm(model.to_caffe())
        caffe_format.save_net(deploy, os.path.join(args.out, "deploy.prototxt"), os.path.join(args.out, "net.caffemodel"))
    with open(os.path.join(args.out, "labels.txt"), "w") as f:
        f.write("\n".join(render.CLASSIFIER_LABELS) + "\n")


if __name__ == "__main__":
    main()
