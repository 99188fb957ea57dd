#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that a step needs and that are missing, as root or by sudo.
# Usage: scripts/install_deps.sh build|test|vulkan|browser|arm|lint ...
set -euo pipefail

packages=()
for group in "$@"; do
    case $group in
        build) packages+=(g++ cmake ninja-build ccache pkg-config protobuf-compiler libprotobuf-dev libcli11-dev
                          nlohmann-json3-dev libjpeg-dev libstb-dev python3) ;;
        test) packages+=(libgtest-dev googletest libgmock-dev libbenchmark-dev python3) ;;
        vulkan) packages+=(libvulkan-dev glslang-tools spirv-tools mesa-vulkan-drivers vulkan-validationlayers) ;;
        browser) packages+=(chromium) ;;  # 80 MB: benchfw's page is skipped without it
        arm) packages+=(g++-aarch64-linux-gnu g++-arm-linux-gnueabihf qemu-user) ;;
        lint) packages+=(clang clang-format clang-tidy libomp-dev git) ;;
        *) echo "error: unknown package group '$group', expected build, test, vulkan, browser, arm or lint" >&2; exit 2 ;;
    esac
done

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "error: this needs ${missing[*]}; there is no apt-get here, install them by hand" >&2
    exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: run as root or install sudo, to install ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
fi
echo "installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
