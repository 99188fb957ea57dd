#!/usr/bin/env bash
# check_isa_symbols.sh BUILD_DIR: no object compiled for an instruction set may hold a symbol that the linker could pick for
# code that runs everywhere. Such objects define their kernels (kernels.inc) and nothing else, and need memcpy, memset and the compiler's own library at most.
set -euo pipefail
build=${1:?usage: check_isa_symbols.sh BUILD_DIR}
root=$(cd "$(dirname "$0")/.." && pwd)
nm=${NM:-nm}

checked=0
bad=0
while IFS= read -r object; do
    checked=$((checked + 1))
    while read -r symbol; do
        type=${symbol%% *}
        name=${symbol#* }
        case $type in
            [a-z])
                # Local, but for the weak and unique ones that nm writes in lower case.
                case $type in w | v | u) ;; *) continue ;; esac
                ;;
            U)
                # __aeabi_*: divisions of 64 bits, which 32-bit ARM leaves to the compiler's own library
                case $name in memcpy | memset | _GLOBAL_OFFSET_TABLE_ | __aeabi_*) continue ;; esac
                ;;
            D | R)
                plain=${name#fw::}
                if grep -q "FW_KERNEL([a-z0-9_]*, $plain," "$root/src/kernel/kernels.inc"; then continue; fi
                ;;
        esac
        echo "error: $(basename "$object"): $type $name" >&2
        bad=$((bad + 1))
    done < <("$nm" -C "$object" | sed -E 's/^[0-9a-f]* *//')
# Only this build: those of the other presets lie below it.
done < <(find "$build/src" \( -path '*layer/x86/*.o' -o -path '*layer/arm/*.o' \) | sort)

if [ "$checked" -eq 0 ]; then
    echo "error: no object of src/layer/x86 or src/layer/arm under $build" >&2
    exit 1
fi
[ "$bad" -eq 0 ] || exit 1
echo "$checked ISA objects: no foreign symbol"
