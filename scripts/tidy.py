#!/usr/bin/env python3
"""clang-tidy over src, tools and examples, as .clang-tidy says.

    scripts/tidy.py [--build build] [--jobs N] [FILE ...]

Needs a build (its compile commands and the headers that its objects were made from). A file that passed with the same
text, headers, command and checks is not looked at again: ~/.cache/fw-tidy (or XDG_CACHE_HOME) remembers. The static
analyzer gives up on functions of more than 20,000 nodes, which halves its time. Exit 1 on any finding.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Kernels are one template many times over, and stb.cpp is another project's.
LEFT_OUT = re.compile(r"src/layer/(x86|arm)/|stb\.cpp$")
ANALYZER = ["--extra-arg=-Xclang", "--extra-arg=-analyzer-config", "--extra-arg=-Xclang", "--extra-arg=max-nodes=20000",
            "--extra-arg=-Wno-ignored-optimization-argument"]  # GCC's, which the compile commands have


def headers_of_objects(build):
    """Object -> the project's files that it was made from, as ninja recorded them. Without objects older than a file."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True).stdout
    files, current = {}, None
    for line in text.splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                current.add(path)
        elif ": #deps" in line:
            current = files.setdefault(line.split(": #deps")[0], set())
    return {name: made_from for name, made_from in files.items() if up_to_date(build / name, made_from)}


def up_to_date(target, files):
    try:
        made = target.stat().st_mtime
        return all(file.stat().st_mtime <= made for file in files)
    except FileNotFoundError:
        return False


def key_of(command, files, common):
    digest = hashlib.sha256(common)
    digest.update(command["command"].replace(str(ROOT), "").encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def check(path, build):
    done = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", *ANALYZER, str(path)], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout if done.stdout.strip() else done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="only these (default: all)")
    parser.add_argument("--build", default="build", help="build folder (default: build)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at once (default: one a core)")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    commands = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        commands.setdefault(pathlib.Path(command["file"]).resolve(), command)
    if options.files:
        wanted = [pathlib.Path(file).resolve() for file in options.files]
    else:
        listed = subprocess.run(["git", "ls-files", "src/*.cpp", "tools/*.cpp", "examples/*.cpp"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.split()
        wanted = [ROOT / file for file in listed if not LEFT_OUT.search(file)]

    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    common = version + (ROOT / ".clang-tidy").read_bytes() + " ".join(ANALYZER).encode()
    passed = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fw-tidy"
    passed.mkdir(parents=True, exist_ok=True)
    headers = headers_of_objects(build)
    todo = []
    for path in wanted:
        command = commands.get(path)
        made_from = headers.get(re.search(r" -o (\S+)", command["command"])[1]) if command else None
        key = key_of(command, made_from | {path}, common) if made_from else None
        if key is None or not (passed / key).exists():
            todo.append((path, key))

    findings = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (path, key), (code, text) in zip(todo, pool.map(lambda job: check(job[0], build), todo)):
            if code != 0:
                findings += 1
                print(f"{path.relative_to(ROOT)}:\n{text}", file=sys.stderr, flush=True)
            elif key is not None:
                (passed / key).touch()
    print(f"clang-tidy: {len(wanted)} files, {len(todo)} of them looked at, {findings} with findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
