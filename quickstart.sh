#!/usr/bin/env bash
# The whole road on this machine: builds Featherweight, converts the two embedded Caffe networks, calibrates them, and classifies and
# detects on the embedded images in float and int8. Writes build/quickstart/report.html.
set -euo pipefail
cd "$(dirname "$0")"

scripts/install_deps.sh build
echo "== building (build/build.log)"
mkdir -p build
{ cmake --preset release -DFW_BUILD_TESTS=OFF && cmake --build --preset release -- -j "$(nproc)"; } >build/build.log 2>&1 ||
    { tail -n 40 build/build.log >&2; echo "error: the build failed, see build/build.log" >&2; exit 1; }

bin=$PWD/build/bin
demo=$PWD/examples/demo
out=$PWD/build/quickstart
rm -rf "$out"
mkdir -p "$out"

# road NET TASK TRUTH: Caffe files -> model -> table -> float and int8 results, side by side
road() {
    local net=$1 task=$2 truth=$3
    local options folder=$out/$net
    mkdir -p "$folder"
    cp "$demo/$net/labels.txt" "$folder/"
    echo
    echo "== $net: convert, calibrate, evaluate"
    read -ra options <"$demo/$net/preprocess.txt"
    "$bin/caffe2fw" "$demo/$net/deploy.prototxt" "$demo/$net/net.caffemodel" "$folder/net.param" "$folder/net.bin" "${options[@]}"
    "$bin/calibrate" "$folder/net.param" "$folder/net.bin" --images "$demo/$net/calib" --out "$folder/net.table"
    "$bin/fweval" "$folder/net.param" "$folder/net.bin" --table "$folder/net.table" --task "$task" \
        --images "$demo/$net/test" --labels "$truth" --json "$folder/eval.json"
}

road classifier classify "$demo/classifier/test/test.txt"
road detector detect "$demo/detector/test/test.json"

echo
echo "== single images"
for mode in float int8; do
    classifier_table=()
    detector_table=()
    if [ $mode = int8 ]; then
        classifier_table=(--table "$out/classifier/net.table")
        detector_table=(--table "$out/detector/net.table")
    fi
    echo "in $mode:"
    "$bin/squeezenet" "$demo/classifier/test/00_R.png" "$out/classifier" "${classifier_table[@]}"
    "$bin/ssd" "$demo/detector/test/00.png" "$out/detector" --out "$out/boxes_$mode.png" "${detector_table[@]}"
done

echo
scripts/quickstart_report.py "$out" >"$out/report.html"
echo "report: $out/report.html"
