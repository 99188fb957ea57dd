#!/usr/bin/env bash
# fw_test_vulkan of build/ on the newest software device: Debian sid's Mesa, loader and validation layer in FOLDER, which
# debootstrap makes at the first time (0.7 GB) and which can be deleted whenever. As root, the repository outside of FOLDER.
# COMMAND in the place of fw_test_vulkan runs there instead, in the repository.
# Usage: scripts/test_newest_vulkan.sh FOLDER [--gtest_... | COMMAND...]
set -euo pipefail
[ $# -ge 1 ] || { grep '^# Usage' "$0" | cut -c3- >&2; exit 2; }
mkdir -p "$1"
root=$(cd "$1" && pwd)
shift
repository=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in
    '' | -*) set -- build/bin/fw_test_vulkan "$@" ;;
esac

if [ ! -e "$root/.made" ]; then
    command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap
    packages=mesa-vulkan-drivers,vulkan-validationlayers,vulkan-tools,libvulkan1,libgomp1,libstdc++6
    debootstrap --variant=minbase --include=$packages sid "$root" >"$root.log" ||
        { echo "error: debootstrap failed, see $root.log" >&2; exit 1; }
    touch "$root/.made"
fi
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json
unset VK_ICD_FILENAMES
export FW_EXPECT_VULKAN=${FW_EXPECT_VULKAN:-1}

# The mounts are this process's own and go with it.
exec unshare --mount bash -euc '
    root=$1 repository=$2
    shift 2
    for folder in /proc /dev "$repository" ${FW_DATA:+"$FW_DATA"}; do
        mkdir -p "$root$folder"
        mount --rbind "$folder" "$root$folder"
    done
    exec chroot "$root" bash -c '\''cd "$0" && exec "$@"'\'' "$repository" "$@"
' bash "$root" "$repository" "$@"
