#!/usr/bin/env python3
"""Cycles for 16 multiply-accumulates in the main loops of int8 GEMM kernels, by llvm-mca's models of processors.

Takes the loops out of the built objects: in each kernel the innermost one with the most multiplications. Models know
neither caches nor, for the A53, that a load of 128 bits takes two slots.

    scripts/install_deps.sh arm; apt-get install llvm-19
    cmake --preset aarch64 && cmake --build --preset aarch64 --target fw_static     # armhf likewise
    benchmark/mca/mca.py aarch64 armhf            # the table; x86_64: of the preset release
    benchmark/mca/mca.py aarch64 armhf --listings benchmark/mca # and each loop as a file
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Object file, what multiplies (as a pattern), multiply-accumulates by one of those, processors.
AARCH64 = [
    ("gemm_int8_neon", "smu?lal?2?|smull2?", 8, ["cortex-a53", "cortex-a55", "cortex-a72"]),
    ("gemm_int16_neon", "smlal2?", 4, ["cortex-a53", "cortex-a55", "cortex-a72"]),
    ("gemm_int8_dotprod", "sdot", 16, ["cortex-a55", "neoverse-n1", "neoverse-v1"]),
    ("gemm_int8_i8mm", "smmla", 32, ["cortex-a510", "neoverse-n2", "neoverse-v1"]),
]
ARM = [
    ("gemm_int8_neon", "vmull\\.s8|vmlal\\.s8", 8, ["cortex-a9", "cortex-a15"]),
    ("gemm_int16_neon", "vmlal\\.s16", 4, ["cortex-a9", "cortex-a15"]),
]
X86 = [
    ("gemm_int8_sse41", "pmaddwd", 8, ["sandybridge", "silvermont", "btver2", "znver3"]),
    ("gemm_int8_matched_sse41", "pmaddubsw", 16, ["sandybridge", "silvermont", "btver2", "znver3"]),
    ("gemm_int8_avx2", "vpmaddwd", 16, ["haswell", "znver3"]),
    ("gemm_int8_matched_avx2", "vpmaddubsw", 32, ["haswell", "znver3"]),
    ("gemm_int8_avx512", "vpmaddwd", 32, ["skylake-avx512"]),
    ("gemm_int8_matched_avx512", "vpmaddubsw", 64, ["skylake-avx512"]),
]
# Kernels, where their objects are, what reads those, flags of llvm-mca.
BUILDS = {
    "aarch64": (AARCH64, "aarch64/src/CMakeFiles/fw_kernel.dir/layer/arm", "aarch64-linux-gnu-objdump", ["-march=aarch64", "-mattr=+neon"]),
    "armhf": (ARM, "armhf/src/CMakeFiles/fw_kernel.dir/layer/arm", "arm-linux-gnueabihf-objdump", ["-march=arm", "-mattr=+neon,+v7"]),
    "x86_64": (X86, "src/CMakeFiles/fw_kernel.dir/layer/x86", "objdump", ["-march=x86-64"]),
}
ITERATIONS = 1000


class Failure(Exception):
    pass


def instructions(objdump, path):
    """[(address, text)] of all functions; a branch's text ends in its target's address."""
    listing = subprocess.run([objdump, "-d", "--no-show-raw-insn", str(path)], capture_output=True, text=True, check=True)
    lines = []
    section = 0
    for line in listing.stdout.splitlines():
        if line.startswith("Disassembly of section"):
            section += 1
        match = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
        if match:
            text = re.sub(r"\s*(//|@|;).*", "", match.group(2))
            lines.append(((section, int(match.group(1), 16)), re.sub(r"\s+", " ", re.sub(r"\s*<.*>", "", text))))
    return lines


def main_loop(lines, multiplies):
    """The innermost loop, from a label to the first branch back to it, with the most instructions that multiply; or a
    step between two jumps by register, where each one goes to the next."""
    index = {address: i for i, (address, _) in enumerate(lines)}
    best, most = [], 0
    last_back = -1  # where the last loop ended
    last_jump = last_by_register = -1
    for i, (address, text) in enumerate(lines):
        if re.match(r"(br?|ret)( |$)", text):
            body = [t for _, t in lines[last_jump + 1:i + 1] if t != "nop"]
            count = sum(bool(re.fullmatch(multiplies, t.split(" ")[0])) for t in body)
            if text.startswith("br "):
                if last_jump >= 0 and last_jump == last_by_register and count > most:
                    best, most = body, count
                last_by_register = i
            last_jump = i
        match = re.fullmatch(r"(?:b\.?[a-z]{2}(?:\.n|\.w)?|j[a-z]+) ([0-9a-f]+)", text)
        target = (address[0], int(match.group(1), 16)) if match else None
        if target not in index or index[target] >= i:
            continue
        innermost = index[target] > max(last_back, last_by_register)
        last_back = i
        if not innermost:
            continue
        body = [t for _, t in lines[index[target]:i + 1]]
        count = sum(bool(re.fullmatch(multiplies, t.split(" ")[0])) for t in body)
        if count > most:
            best, most = body, count
    return best, most


def assembly(body):
    """The loop as llvm-mca reads it: branches, those out of the loop too, without their targets."""
    out = []
    for text in body:
        text = re.sub(r"^(tbn?z [wx]\d+, #\d+|cbn?z [wx]\d+),? [0-9a-f]+$", r"\1, out", text)
        text = re.sub(r"^(b(?:\.?[a-z]{2})?|j[a-z]+)(?:\.n|\.w)? [0-9a-f]+$", r"\1 out", text)
        out.append(text)
    return "\n".join(out) + "\nout:\n"


def cycles(mca, flags, cpu, text):
    done = subprocess.run([mca, *flags, f"-mcpu={cpu}", f"-iterations={ITERATIONS}"], input=text, capture_output=True, text=True)
    match = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    if done.returncode != 0 or not match:
        raise Failure(f"{mca} -mcpu={cpu}: {done.stderr.strip()[:400]}")
    return int(match.group(1)) / ITERATIONS


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="*", metavar="BUILD", help=f"of {', '.join(BUILDS)}; all without")
    parser.add_argument("--mca", default="llvm-mca-19", help="program (%(default)s)")
    parser.add_argument("--listings", metavar="FOLDER", help="write the loops there")
    options = parser.parse_args()
    try:
        print("| kernel | processor | instructions of a loop | multiply-accumulates | cycles for 16 |\n|---|---|---|---|---|")
        for build in options.builds or BUILDS:
            if build not in BUILDS:
                raise Failure(f"{build}: not one of {', '.join(BUILDS)}")
            kernels, folder, objdump, flags = BUILDS[build]
            for name, multiplies, macs, cpus in kernels:
                path = ROOT / "build" / folder / f"{name}.cpp.o"
                if not path.exists():
                    raise Failure(f"{path.relative_to(ROOT)} is missing: build it first")
                body, count = main_loop(instructions(objdump, path), multiplies)
                if not body:
                    raise Failure(f"{name} ({build}): no loop that multiplies")
                if options.listings:
                    (pathlib.Path(options.listings) / f"{name}_{build}.s").write_text(assembly(body))
                for cpu in cpus:
                    per16 = cycles(options.mca, flags, cpu, assembly(body)) * 16 / (count * macs)
                    print(f"| {name} ({build}) | {cpu} | {len(body)} | {count * macs} | {per16:.2f} |")
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
