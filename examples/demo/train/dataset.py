"""Rendered sets, kept in a work folder so that a second run does not draw them again."""
import os

import numpy as np

import render

MAX_OBJECTS = 6


def classifier_set(split, count, work):
    """uint8 [N,3,64,64] in B,G,R order (what Caffe models expect) and labels [N]."""
    path = os.path.join(work, f"classifier-{split}-{count}.npz")
    if not os.path.exists(path):
        pairs = [render.classifier_image(split, i) for i in range(count)]
        images = np.stack([rgb[:, :, ::-1].transpose(2, 0, 1) for rgb, _ in pairs])
        os.makedirs(work, exist_ok=True)
        np.savez(path, images=images, labels=np.array([label for _, label in pairs]))
    data = np.load(path)
    return data["images"], data["labels"]


def detector_set(split, count, work):
    """uint8 [N,3,128,128] in R,G,B order, boxes [N,6,4] in 0..1, labels [N,6]; label 0 fills unused places."""
    path = os.path.join(work, f"detector-{split}-{count}.npz")
    if not os.path.exists(path):
        size = render.DETECTOR_SIZE
        images = np.empty((count, 3, size, size), np.uint8)
        boxes = np.zeros((count, MAX_OBJECTS, 4), np.float32)
        labels = np.zeros((count, MAX_OBJECTS), np.int64)
        for i in range(count):
            rgb, b, l = render.detector_scene(split, i)
            images[i] = rgb.transpose(2, 0, 1)
            boxes[i, :len(b)] = b / size
            labels[i, :len(l)] = l
        os.makedirs(work, exist_ok=True)
        np.savez(path, images=images, boxes=boxes, labels=labels)
    data = np.load(path)
    return data["images"], data["boxes"], data["labels"]
