#!/usr/bin/env python3
"""Fails on an #include in src/ that points against the arrows of docs/HACKING.md.

A folder may include itself, the public headers fw/, and the folders that its arrows reach (transitively).
"""
import pathlib
import re
import sys

ARROWS = {
    "base": [],
    "tensor": ["base"],
    "model": ["tensor"],
    "quant": ["tensor"],
    "kernel": ["base"],
    "graph": ["model", "quant"],
    "layer": ["model", "tensor", "quant", "kernel"],
    "layer/x86": ["kernel"],
    "layer/arm": ["kernel"],
    "layer/vulkan": ["layer", "vulkan"],
    "vulkan": ["base", "tensor"],
    "runtime": ["layer", "graph", "vulkan", "layer/vulkan"],
}
ISA_HEADERS = re.compile(r"(immintrin|arm_neon|x86intrin|[a-z]mmintrin)\.h")


def reachable(folder):
    seen, todo = set(), [folder]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += ARROWS[here]
    return seen


def folder_of(path):
    parts = path.parts[:-1]
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in ARROWS:
            return name
    return None


def main():
    src = pathlib.Path(__file__).resolve().parent.parent / "src"
    bad = 0
    for file in sorted(p for p in src.rglob("*") if p.suffix in {".h", ".cpp", ".inc"}):
        folder = folder_of(file.relative_to(src))
        if folder is None:
            print(f"{file}: stands in a folder that scripts/check_includes.py does not know")
            bad += 1
            continue
        allowed = reachable(folder)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not match:
                continue
            quote, target = match.groups()
            if ISA_HEADERS.search(target) and folder not in ("layer/x86", "layer/arm"):
                print(f"{file}:{number}: {target} outside an ISA folder")
                bad += 1
            if quote == "<" or target.startswith("fw/"):
                continue
            to = folder_of(pathlib.Path(target))
            if to is None or (to not in allowed and to != "layer/" + folder):
                print(f"{file}:{number}: {folder} may not include {target}")
                bad += 1
    print(f"include directions: {bad} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
