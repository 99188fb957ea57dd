#!/usr/bin/env bash
# All figures of a GPU in one go, on a fresh machine: devices, exactness, latency of the zoo in float and int8 on the GPU and
# the CPU, cold start with and without a warm pipeline cache.
# Usage: benchmark/gpu.sh [OUT_FOLDER] [DEVICE]      (default: gpu-figures, vulkan)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-gpu-figures}
device=${2:-vulkan}
mkdir -p "$out"

scripts/install_deps.sh build test vulkan
cmake --preset release >/dev/null
cmake --build --preset release --target benchfw fw_test_vulkan
bench=build/bin/benchfw

$bench --list-devices | tee "$out/devices.txt"
FW_EXPECT_VULKAN=1 FW_VULKAN_ZOO=all build/bin/fw_test_vulkan --gtest_brief=1 | tee "$out/exactness.txt"
# Processor and device in turns, so that a disturbance meets both.
for round in 1 2 3; do
    for where in cpu "$device"; do
        threads=1
        [ "$where" = cpu ] && threads=0
        $bench --int8 --float --device "$where" --threads $threads --json "$out/zoo-$where-$round.json" | tee "$out/zoo-$where-$round.txt"
    done
done
for network in mobilenet_v1 resnet50 squeezenet_v1_1; do
    $bench --zoo $network --int8 --float --device "$device" --layers | tee "$out/layers-$network.txt"
    rm -f "$out/pipelines"
    for start in cold warm; do
        echo "$network, $start pipeline cache" | tee -a "$out/start.txt"
        $bench --zoo $network --int8 --device "$device" --loops 1 --warmup 0 --pipeline-cache "$out/pipelines" \
               --json "$out/start-$network-$start.json" | tee -a "$out/start.txt"
    done
done
echo "figures are in $out"
