#!/usr/bin/env python3
"""Instructions per multiply-accumulate of the zoo's networks on emulated ARM processors.

Each network runs once and twice under QEMU with a counting plugin; the difference is one inference in a steady state,
without loading, packing of weights and planning. Counts are exact and repeat; they are not time.

    cmake --preset aarch64 && cmake --build --preset aarch64 --target zoo_infer
    benchmark/icount/icount.py                                     # int8 at neon, dotprod and i8mm
    benchmark/icount/icount.py --nets squeezenet_v1_1 --levels i8mm --symbols 15
    benchmark/icount/icount.py --build build/armhf --precision float int8
    benchmark/icount/icount.py --levels dotprod --precision float fp16  # fp16: Option::fp16_arithmetic
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETS = ["squeezenet_v1_1", "mobilenet_v1", "mobilenet_ssd", "resnet18", "resnet50", "googlenet", "mobilenet_v3_large"]
# The emulated processor of each kernel level.
CPUS = {
    "aarch64": {"scalar": "cortex-a53", "neon": "cortex-a53", "fp16": "cortex-a76", "dotprod": "cortex-a76",
                "i8mm": "max,sve=off"},
    "arm": {"scalar": "cortex-a7", "neon": "cortex-a15"},
}
LIBRARIES = {"aarch64": "/usr/aarch64-linux-gnu", "arm": "/usr/arm-linux-gnueabihf"}


class Failure(Exception):
    pass


def machine_of(program):
    with open(program, "rb") as file:
        machine = int.from_bytes(file.read(20)[18:20], "little")
    names = {183: "aarch64", 40: "arm"}
    if machine not in names:
        raise Failure(f"{program}: built for ELF machine {machine}, expected 183 (aarch64) or 40 (arm)")
    return names[machine]


def build_plugin(folder):
    plugin = pathlib.Path(folder) / "icount.so"
    source = pathlib.Path(__file__).with_name("icount.c")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-fPIC", "-shared", str(source), "-o", str(plugin)], check=True)
    return plugin


def run(program, machine, plugin, net, level, precision, inferences):
    """(instructions by symbol, multiply-accumulates, conversions)"""
    table = str(ROOT / "tests/golden/zoo" / f"{net}.table") if precision == "int8" else precision
    with tempfile.NamedTemporaryFile("r") as out:
        command = [f"qemu-{machine}", "-cpu", CPUS[machine][level], "-L", LIBRARIES[machine],
                   "-plugin", f"{plugin},out={out.name}", str(program), net, table, str(inferences)]
        environment = dict(os.environ, FW_ISA=level, OMP_NUM_THREADS="1")
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{net} {level} {precision}: {done.stderr.strip()}")
        counts = {}
        for line in out:
            count, symbol = line.rstrip("\n").split(" ", 1)
            counts[symbol] = int(count)
    macs, conversions = map(int, done.stdout.split())
    return counts, macs, conversions


def steady(*what):
    once, macs, conversions = run(*what, 1)
    twice, _, _ = run(*what, 2)
    counts = {symbol: count - once.get(symbol, 0) for symbol, count in twice.items()}
    return counts, macs, conversions


def demangle(symbols):
    try:
        done = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True)
        return done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return symbols


def print_symbols(counts, macs, most):
    busiest = sorted((s for s in counts if s != "total"), key=lambda s: -counts[s])[:most]
    for symbol, readable in zip(busiest, demangle(busiest)):
        print(f"    {counts[symbol] / macs:8.4f}  {readable[:110]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/aarch64"), help="build folder (%(default)s)")
    parser.add_argument("--nets", nargs="+", default=NETS, metavar="NET")
    parser.add_argument("--levels", nargs="+", metavar="LEVEL", help="kernel levels (default: all but scalar and fp16)")
    parser.add_argument("--precision", nargs="+", choices=["int8", "float", "fp16"], default=["int8"])
    parser.add_argument("--symbols", type=int, default=0, metavar="N", help="print the N busiest functions too")
    parser.add_argument("--jobs", type=int, default=1, help="emulators at once (%(default)s)")
    options = parser.parse_args()
    program = pathlib.Path(options.build) / "bin/zoo_infer"
    try:
        machine = machine_of(program)
        levels = options.levels or [level for level in CPUS[machine] if level not in ("scalar", "fp16")]
        unknown = [level for level in levels if level not in CPUS[machine]]
        if unknown:
            raise Failure(f"level {unknown[0]}: expected one of {', '.join(CPUS[machine])}")
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            plugin = build_plugin(folder)
            columns = [(level, precision) for precision in options.precision for level in levels]
            print("| net (MMAC) | " + " | ".join(f"{precision} {level}" for level, precision in columns) + " |")
            print("|---" * (len(columns) + 1) + "|", flush=True)
            for net in options.nets:
                cells = list(pool.map(lambda c: steady(program, machine, plugin, net, *c), columns))
                row = " | ".join(f"{counts['total'] / macs:.4f}" for counts, macs, _ in cells)
                print(f"| {net} ({cells[0][1] / 1e6:.0f}) | {row} |", flush=True)
                for (level, precision), (counts, macs, conversions) in zip(columns, cells):
                    if options.symbols:
                        print(f"  {precision} {level}, {conversions} conversions:")
                        print_symbols(counts, macs, options.symbols)
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
