#!/bin/sh
# Lays a root folder for icount_ncnn.py: Debian's Python for aarch64 with ncnn's wheel. Needs debootstrap and pip.
#   benchmark/icount/ncnn_root.sh FOLDER [VERSION of ncnn]
set -eu
[ $# -ge 1 ] || { sed -n '3s/^# *//p' "$0" >&2; exit 1; }
root=$1
version=${2:+==$2}
debootstrap --foreign --arch=arm64 --variant=minbase --include=python3,libgomp1,libstdc++6 bookworm "$root"
for package in "$root"/var/cache/apt/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
done
platforms="--platform manylinux2014_aarch64 --platform manylinux_2_24_aarch64 --platform manylinux_2_27_aarch64
    --platform manylinux_2_28_aarch64"
# shellcheck disable=SC2086  # several words
python3 -m pip install --quiet --no-deps --only-binary=:all: --python-version 3.11 $platforms \
    --target "$root/site" "ncnn$version" numpy
