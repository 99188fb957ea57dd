#!/usr/bin/env python3
"""Writes quickstart's page (HTML on stdout) from the folder of results: python3 scripts/quickstart_report.py RESULTS"""
import base64
import html
import json
import pathlib
import sys

METRICS = [("top1", "top-1 %"), ("top5", "top-5 %"), ("map50", "mAP@0.5 %")]


def image(path):
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(path.name)}">'


def kib(path):
    return f"{path.stat().st_size / 1024:.0f} KiB"


def rows(folder):
    result = json.loads((folder / "eval.json").read_text())
    for key, title in METRICS:
        if key in result.get("float", {}):
            yield title, f"{result['float'][key]:.2f}", f"{result['int8'][key]:.2f}"
    if "ms" in result.get("float", {}):
        yield "median ms an image", f"{result['float']['ms']:.2f}", f"{result['int8']['ms']:.2f}"
    if "agreement" in result:
        yield "agreement with float %", "", f"{result['agreement']:.2f}"
    if "sqnr_db" in result:
        yield "signal to quantization noise, dB", "", f"{result['sqnr_db']:.1f}"
    yield "images", str(result["images"]), str(result["images"])
    yield "model", kib(folder / "net.param") + " + " + kib(folder / "net.bin"), "+ table " + kib(folder / "net.table")


def main():
    results = pathlib.Path(sys.argv[1])
    print("<!doctype html><meta charset=utf-8><title>Featherweight quickstart</title>")
    print("<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse}"
          "td,th{border:1px solid #ccc;padding:.3em .8em;text-align:right}td:first-child,th:first-child{text-align:left}"
          "img{width:256px;image-rendering:pixelated;margin-right:1em}</style>")
    print("<h1>Featherweight quickstart</h1>")
    for net in ("classifier", "detector"):
        print(f"<h2>{net}</h2><table><tr><th></th><th>float</th><th>int8</th></tr>")
        for row in rows(results / net):
            print("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>")
        print("</table>")
    print("<h2>detections: float, int8</h2><p>")
    for mode in ("float", "int8"):
        print(image(results / f"boxes_{mode}.png"))
    print("</p>")


if __name__ == "__main__":
    main()
