#!/usr/bin/env bash
# Compiles the ARM kernels by clang for Android and iOS to object files: no NDK, no Xcode. Of the libraries they use a few
# functions on memory, which are declared here, and two headers of templates, which the cross compiler lends
# (scripts/install_deps.sh lint arm).
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cat >"$out/cstring" <<'END'
#pragma once
#include <stddef.h>
extern "C" void* memcpy(void*, const void*, size_t);
extern "C" void* memset(void*, int, size_t);
namespace std {
using ::memcpy;
using ::memset;
}
END
printf '#pragma once\n#include <stdint.h>\n' >"$out/cstdint"
printf '#pragma once\n#include <stddef.h>\n' >"$out/cstddef"
own=$(clang++ -print-resource-dir)/include
lent=$(printf '%s\n' /usr/aarch64-linux-gnu/include/c++/* | sort -V | tail -n 1)
count=0

# compile TRIPLE FILE FLAGS...
compile() {
    clang++ --target="$1" -std=c++17 -O2 -ffreestanding -Wall -Wextra -Werror -Isrc -Iinclude -nostdinc++ -isystem "$out" -isystem "$own" \
        -isystem "$lent" -isystem "$lent/aarch64-linux-gnu" -isystem /usr/aarch64-linux-gnu/include "${@:3}" -c "$2" -o "$out/kernel.o"
    count=$((count + 1))
}

for file in src/layer/arm/*.cpp; do
    level=$(basename "$file" .cpp)
    level=${level##*_}
    case $level in
        neon) flags=() ;;
        fp16) flags=(-march=armv8.2-a+fp16) ;;
        dotprod) flags=(-march=armv8.2-a+fp16+dotprod) ;;
        i8mm) flags=(-march=armv8.2-a+fp16+dotprod+i8mm) ;;
        *) echo "error: $file: the name ends in no known instruction set" >&2; exit 1 ;;
    esac
    compile aarch64-linux-android21 "$file" "${flags[@]}"
    compile arm64-apple-ios13 "$file" "${flags[@]}"
    [ "$level" != neon ] || compile armv7a-linux-androideabi21 "$file" -mfpu=neon
done
echo "clang compiled $count kernel objects for Android and iOS"
