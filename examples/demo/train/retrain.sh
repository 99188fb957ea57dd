#!/bin/sh
# Renders, trains, stores both networks and their images, and prints the accuracy.
set -e
cd "$(dirname "$0")"
python=${PYTHON:-python3}
$python train_classifier.py "$@"
$python train_detector.py "$@"
$python make_data.py
$python evaluate.py "$@"
