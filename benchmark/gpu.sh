#!/usr/bin/env bash
# All figures of a GPU in one go, on a fresh machine: devices, exactness, latency of the zoo in float, float16 and int8 on the
# GPU and the CPU, cold start with and without a warm pipeline cache.
# Usage: benchmark/gpu.sh [OUT_FOLDER] [DEVICE]      (default: gpu-figures, vulkan)
# For a trial of the script itself: FW_GPU_ZOO=NAME,.. measures these networks only, FW_GPU_TESTS=FILTER runs these tests only,
# FW_GPU_LOOPS=N and FW_GPU_ROUNDS=N measure less.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-gpu-figures}
device=${2:-vulkan}
layers=${FW_GPU_ZOO:-mobilenet_v1,resnet50,squeezenet_v1_1}
rounds=${FW_GPU_ROUNDS:-3}
mkdir -p "$out"

scripts/install_deps.sh build test vulkan
cmake --preset release >/dev/null
cmake --build --preset release --target benchfw fw_test_vulkan
bench=build/bin/benchfw

$bench --list-devices | tee "$out/devices.txt"
precisions=(--int8 --float)
grep -q "float16 storage" "$out/devices.txt" && precisions+=(--fp16)
loops=()
[ -z "${FW_GPU_LOOPS:-}" ] || loops+=(--loops "$FW_GPU_LOOPS")
zoo=()
[ -z "${FW_GPU_ZOO:-}" ] || zoo+=(--zoo "$FW_GPU_ZOO")
FW_EXPECT_VULKAN=1 FW_VULKAN_ZOO=all build/bin/fw_test_vulkan --gtest_brief=1 --gtest_filter="${FW_GPU_TESTS:-*}" |
    tee "$out/exactness.txt"
# Processor and device in turns, so that a disturbance meets both.
for round in $(seq "$rounds"); do
    for where in cpu "$device"; do
        threads=1
        [ "$where" = cpu ] && threads=0
        $bench "${zoo[@]}" "${loops[@]}" "${precisions[@]}" --device "$where" --threads $threads \
               --json "$out/zoo-${where/:/}-$round.json" | tee "$out/zoo-${where/:/}-$round.txt"
    done
done
rm -f "$out/start.txt"
for network in ${layers//,/ }; do
    $bench --zoo "$network" "${loops[@]}" "${precisions[@]}" --device "$device" --layers | tee "$out/layers-$network.txt"
    rm -f "$out/pipelines"
    for start in cold warm; do
        echo "$network, $start pipeline cache" | tee -a "$out/start.txt"
        $bench --zoo "$network" --int8 --device "$device" --loops 1 --warmup 0 --pipeline-cache "$out/pipelines" \
               --json "$out/start-$network-$start.json" | tee -a "$out/start.txt"
    done
done
echo "figures are in $out"
