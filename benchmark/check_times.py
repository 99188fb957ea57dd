#!/usr/bin/env python3
"""Checks benchfw's own figures: python3 benchmark/check_times.py [build/bin/benchfw] [--zoo NAME,..] [--seconds S] [--rounds N] [--int8]

Runs benchfw over the zoo as a user does who wants times alone, then with the steps timed as well (--json), in turns, keeps the fastest
of each, and prints

  sum      the steps' times together, against the inference they were part of (should be within 3 %)
  timers   that inference against the fastest one without timers: what profiling costs while it is on
  off      fastest inference of a process that profiles in between against one that never does: what profiling costs while it
           is off; nothing, so that this column is the noise of the machine

and how long the first run took, loading and all (the whole zoo should be done in 10 minutes). Times are no test: nothing here
fails because of them. Close other programs first. Needs the standard library only.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

LINE = re.compile(r"^(\S+) (float|int8|auto) threads=\d+ min=(\d+\.\d+) ")


def run(command):
    begin = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)  # benchfw has said why
    return done.stdout, time.monotonic() - begin


def percent(value, reference):
    return 100.0 * (value / reference - 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchfw", nargs="?", default=str(pathlib.Path(__file__).resolve().parent.parent / "build/bin/benchfw"))
    parser.add_argument("--zoo", help="networks, NAME,.. (default: all)")
    parser.add_argument("--seconds", help="benchfw's --seconds")
    parser.add_argument("--rounds", type=int, default=2, choices=range(1, 101), metavar="N", help="default: %(default)s")
    parser.add_argument("--int8", action="store_true", help="in int8")
    options = parser.parse_args()
    if not pathlib.Path(options.benchfw).is_file():
        parser.error(f"{options.benchfw} does not exist: build benchfw, or name it")
    command = [options.benchfw]
    command += ["--zoo", options.zoo] if options.zoo else []
    command += ["--seconds", options.seconds] if options.seconds else []
    command += ["--int8"] if options.int8 else []

    without, best, off, seconds = {}, {}, {}, []
    for _ in range(options.rounds):
        text, spent = run(command)
        seconds.append(spent)
        for line in filter(None, map(LINE.match, text.splitlines())):
            name, least = line.group(1), float(line.group(3))
            without[name] = min(least, without.get(name, least))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            run([*command, "--json", str(path)])
            for net in json.loads(path.read_text(encoding="utf-8"))["nets"]:
                name = net["name"]
                off[name] = min(net["min_ms"], off.get(name, net["min_ms"]))
                if name not in best or net["profiled_ms"] < best[name]["profiled_ms"]:
                    best[name] = net
    nets = list(best.values())

    print(f"{'network':<26} {'steps':>5} {'min ms':>10} {'sum %':>8} {'timers %':>9} {'off %':>8}")
    sums, offs = [], []
    for net in nets:
        total = sum(layer["ms"] for layer in net["layers"])
        sums.append(percent(total, net["profiled_ms"]))
        offs.append(percent(off[net["name"]], without[net["name"]]))
        print(f"{net['name']:<26} {len(net['layers']):>5} {off[net['name']]:>10.3f} {sums[-1]:>8.2f} "
              f"{percent(net['profiled_ms'], off[net['name']]):>9.2f} {offs[-1]:>8.2f}")
    print(f"sum: furthest from 0 is {max(sums, key=abs):.2f} %, {sum(abs(s) > 3 for s in sums)} of {len(sums)} beyond 3 %")
    print(f"off: median {statistics.median(offs):.2f} %, {min(offs):.2f} to {max(offs):.2f} %")
    print(f"the run without timers took {min(seconds):.0f} s for {len(without)} networks")


if __name__ == "__main__":
    main()
