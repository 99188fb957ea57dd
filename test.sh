#!/usr/bin/env bash
# Installs what it needs, builds and runs every test: this machine's processor, then ARM (64 and 32 bit) under QEMU.
# Usage: ./test.sh [--fast]      --fast = this machine's processor only
# FW_DATA = folder of real models and images (default ../shared); tests that need it are skipped where it is absent.
set -euo pipefail
cd "$(dirname "$0")"

fast=0
case ${1:-} in
    "") ;;
    --fast) fast=1 ;;
    *) echo "usage: ./test.sh [--fast]" >&2; exit 2 ;;
esac
jobs=$(nproc)

export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # what one clone compiled serves the next
export FW_DATA=${FW_DATA:-$PWD/../shared}
[ -d "$FW_DATA/models" ] || echo "FW_DATA=$FW_DATA holds no models: tests on real models are skipped"

scripts/install_deps.sh build test vulkan
export FW_EXPECT_VULKAN=1  # a software device was installed: without any, the tests of Vulkan fail
echo "== this machine's processor"
cmake --preset ci >/dev/null
cmake --build --preset ci -- -j "$jobs"
ctest --preset ci -j "$jobs" --output-on-failure --quiet -O build/ctest.log || { tail -n 200 build/ctest.log; exit 1; }
tail -n 4 build/ctest.log

if [ $fast -eq 0 ]; then
    scripts/install_deps.sh arm
    for preset in aarch64 armhf; do
        echo "== $preset under QEMU"
        cmake --preset $preset >/dev/null
        cmake --build --preset $preset -- -j "$jobs"
        ctest --preset $preset -j "$jobs" --output-on-failure
        scripts/check_isa_symbols.sh build/$preset
    done
fi
grep -E '^[0-9]+% tests passed' build/ctest.log
