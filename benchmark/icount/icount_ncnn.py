#!/usr/bin/env python3
"""Instructions per multiply-accumulate of ncnn's AArch64 wheel, counted as icount.py counts ours.

ncnn chooses its tiles by the caches that the system describes; in the root folder that is written as a description of
the emulated processor's (64 KiB and 512 KiB), whatever machine QEMU runs on. All nets are files of zoo_export.

    sudo benchmark/icount/ncnn_root.sh /tmp/ncnn-arm64
    build/bin/zoo_export mobilenet_v1 --out /tmp/zoo
    benchmark/icount/icount_ncnn.py /tmp/ncnn-arm64 /tmp/zoo --nets mobilenet_v1
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import icount

# Floats are what ncnn computes with where the processor has no half floats.
CPUS = {"float": "cortex-a53", "fp16": "cortex-a76"}
CACHES = [(1, "Data", 64), (1, "Instruction", 64), (2, "Unified", 512)]  # level, type, KiB


def describe_caches(root):
    for index, (level, kind, size) in enumerate(CACHES):
        folder = root / "sys/devices/system/cpu/cpu0/cache" / f"index{index}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in [("level", level), ("type", kind), ("size", f"{size}K"), ("shared_cpu_map", 1),
                            ("shared_cpu_list", 0)]:
            (folder / name).write_text(f"{value}\n", encoding="utf-8")


def run(root, plugin, stem, cpu, inferences):
    """(instructions, version of ncnn)"""
    guest = pathlib.Path(__file__).with_name("ncnn_infer.py")
    with tempfile.NamedTemporaryFile("r") as out:
        command = ["qemu-aarch64", "-cpu", cpu, "-L", root, "-plugin", f"{plugin},out={out.name}",
                   root / "usr/bin/python3.11", "-S", guest, f"{stem}.param", f"{stem}.bin", str(inferences)]
        environment = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(root / "site"))
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise icount.Failure(f"{stem}: {done.stderr.strip()}")
        return int(out.readline().split()[0]), done.stdout.split()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path, help="folder laid by ncnn_root.sh")
    parser.add_argument("zoo", type=pathlib.Path, help="folder with NET.param and NET.bin")
    parser.add_argument("--build", default=str(icount.ROOT / "build/aarch64"),
                        help="build folder with zoo_infer, which says how many multiply-accumulates (%(default)s)")
    parser.add_argument("--nets", nargs="+", default=["squeezenet_v1_1", "mobilenet_v1", "mobilenet_v3_large"],
                        metavar="NET")
    parser.add_argument("--precision", nargs="+", choices=list(CPUS), default=list(CPUS))
    options = parser.parse_args()
    program = pathlib.Path(options.build) / "bin/zoo_infer"
    root = options.root.resolve()
    try:
        describe_caches(root)
        with tempfile.TemporaryDirectory() as folder:
            plugin = icount.build_plugin(folder)
            print("| net | ncnn | " + " | ".join(f"{p} {CPUS[p]}" for p in options.precision) + " |")
            print("|---" * (len(options.precision) + 2) + "|", flush=True)
            for net in options.nets:
                _, macs, _ = icount.run(program, "aarch64", plugin, net, "neon", "float", 0)
                cells = []
                for precision in options.precision:
                    # The first inference still allocates.
                    twice, version = run(root, plugin, options.zoo / net, CPUS[precision], 2)
                    thrice, _ = run(root, plugin, options.zoo / net, CPUS[precision], 3)
                    cells.append(f"{(thrice - twice) / macs:.4f}")
                print(f"| {net} | {version} | " + " | ".join(cells) + " |", flush=True)
    except (icount.Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
