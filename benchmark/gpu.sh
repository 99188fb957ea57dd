#!/usr/bin/env bash
# All figures of a GPU in one go, on a fresh machine: devices, their limits, exactness, latency of the zoo in float, float16 and
# int8 on the GPU and the CPU, with ncnn's Vulkan build (a wheel from PyPI) beside it, cold start with and without a warm
# pipeline cache, memory, and what share of the limits the convolutions reach. summary.md in OUT_FOLDER has all of it in tables.
# A failed test or measurement is said, the rest is measured all the same, and the exit status is 1.
# Usage: benchmark/gpu.sh [OUT_FOLDER] [DEVICE]      (default: gpu-figures, vulkan)
# For a trial of the script itself: FW_GPU_ZOO=NAME,.. measures these networks only, FW_GPU_TESTS=FILTER runs these tests only,
# FW_GPU_LOOPS=N and FW_GPU_ROUNDS=N measure less. FW_GPU_PYTHON=PYTHON has ncnn and numpy already; else a venv is made.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-gpu-figures}
device=${2:-vulkan}
layers=${FW_GPU_ZOO:-mobilenet_v1,resnet50,squeezenet_v1_1}
rounds=${FW_GPU_ROUNDS:-3}
mkdir -p "$out"
rm -f "$out"/{zoo,without,ncnn,layers,start}-*.{json,txt}
failed=0
fails() {
    echo "FAILED: $*"
    failed=1
}

scripts/install_deps.sh build test vulkan
cmake --preset release >/dev/null
echo "building, see $out/build.log"
cmake --build --preset release --target benchfw gpu_peak zoo_export calibrate fwopt fw_test_vulkan >"$out/build.log"
bench=build/bin/benchfw

$bench --list-devices | tee "$out/devices.txt"
build/bin/gpu_peak "$device" >"$out/peak.json"
cat "$out/peak.json"
if grep -q '"type": "CPU"' "$out/peak.json"; then
    echo "NOTE: this is a software device, which computes on the CPU: nothing below is a figure of a GPU"
fi
precisions=(--int8 --float)
narrow=()
! grep -q '"float16_storage": true' "$out/peak.json" || precisions+=(--fp16)
! grep -q '"fp16_gmacs"' "$out/peak.json" || narrow=(--fp16 --fp16-arithmetic)
# Where there are cooperative matrices, what multiplies otherwise is measured beside them.
without=()
! grep -q '"int8_matrix_gmacs"' "$out/peak.json" || without+=(--int8)
! grep -q '"fp16_matrix_gmacs"' "$out/peak.json" || without+=(--fp16)
loops=()
[ -z "${FW_GPU_LOOPS:-}" ] || loops+=(--loops "$FW_GPU_LOOPS")
zoo=()
[ -z "${FW_GPU_ZOO:-}" ] || zoo+=(--zoo "$FW_GPU_ZOO")
FW_EXPECT_VULKAN=1 FW_VULKAN_ZOO=all build/bin/fw_test_vulkan --gtest_brief=1 --gtest_filter="${FW_GPU_TESTS:-*}" |
    tee "$out/exactness.txt" || fails "tests, see $out/exactness.txt"

python=${FW_GPU_PYTHON:-build/ncnn/bin/python}
if [ -z "${FW_GPU_PYTHON:-}" ] && ! "$python" -c 'import ncnn, numpy' 2>/dev/null; then
    { python3 -m venv build/ncnn && "$python" -m pip install --quiet ncnn numpy; } || true
fi
ncnn=no
if "$python" -c 'import ncnn, numpy' 2>/dev/null; then
    ncnn=yes
    IFS=, read -r -a networks <<<"${FW_GPU_ZOO:-all}"
    for network in "${networks[@]}"; do
        build/bin/zoo_export "$network" --out build/zoo --quiet
    done
else
    echo "NOTE: ncnn is not measured, $python cannot import it and numpy"
fi

# One run of benchfw: NAME.json and NAME.txt. The table of layers is in the file only.
measure() {
    local name=$1
    shift
    echo "$name"
    $bench "$@" --json "$out/$name.json" >"$out/$name.txt" || fails "$name, see $out/$name.txt"
    grep " min=" "$out/$name.txt" || true
}

# Processor, device and ncnn in turns, so that a disturbance meets all.
number=()
case "$device" in *:*) number=(--device "${device#*:}") ;; esac
for round in $(seq "$rounds"); do
    for where in cpu "$device"; do
        threads=1
        [ "$where" = cpu ] && threads=0
        measure "zoo-${where/:/}-$round" "${zoo[@]}" "${loops[@]}" "${precisions[@]}" --device "$where" --threads $threads
    done
    [ ${#narrow[@]} -eq 0 ] ||
        measure "zoo-${device/:/}-arithmetic-$round" "${zoo[@]}" "${loops[@]}" "${narrow[@]}" --device "$device"
    [ ${#without[@]} -eq 0 ] || FW_VULKAN_WITHOUT=cooperative_matrix \
        measure "without-${device/:/}-$round" "${zoo[@]}" "${loops[@]}" "${without[@]}" --device "$device"
    if [ $ncnn = yes ]; then
        "$python" benchmark/gpu/ncnn_vulkan.py build/zoo --nets "${FW_GPU_ZOO:-}" "${loops[@]}" "${number[@]}" \
                  --json "$out/ncnn-$round.json" 2>"$out/ncnn-$round.log" | tee "$out/ncnn-$round.txt" ||
            fails "ncnn, see $out/ncnn-$round.log"
    fi
done
for network in ${layers//,/ }; do
    layers_of=(--zoo "$network" "${loops[@]}" --device "$device" --layers)
    measure "layers-$network" "${layers_of[@]}" "${precisions[@]}"
    [ ${#narrow[@]} -eq 0 ] || measure "layers-$network-arithmetic" "${layers_of[@]}" "${narrow[@]}"
    [ ${#without[@]} -eq 0 ] || FW_VULKAN_WITHOUT=cooperative_matrix \
        measure "layers-$network-without" "${layers_of[@]}" "${without[@]}"
    rm -f "$out/pipelines"
    for start in cold warm; do
        measure "start-$network-$start" --zoo "$network" --int8 --device "$device" --loops 1 --warmup 0 \
                --pipeline-cache "$out/pipelines"
    done
done
python3 benchmark/gpu/summary.py "$out" --device "$device"
echo "figures are in $out"
exit $failed
