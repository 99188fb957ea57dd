#!/usr/bin/env python3
"""One table of what benchmark/gpu.sh measured: writes summary.md and summary.json into its folder and prints the former.

    benchmark/gpu/summary.py gpu-figures
"""
import argparse
import json
import pathlib
import sys

CONVOLUTIONS = ("Convolution", "Deconvolution", "InnerProduct")


def read(folder, pattern):
    return [json.loads(path.read_text()) for path in sorted(folder.glob(pattern))]


def least(reports):
    """{(network, precision): the least of the rounds' minima}"""
    times = {}
    for report in reports:
        for net in report["nets"]:
            key = (net["name"], net["precision"])
            times[key] = min(times.get(key, float("inf")), net["min_ms"])
    return times


def precision_bytes(net, layer):
    """Plans count blobs of float16 networks as float32."""
    return layer["bytes"] * (0.5 if net["precision"].startswith("fp16") and layer["precision"] != "int8" else 1.0)


def roofline(net, peak):
    """Convolutions by shader: time, and the part of it that the device's limits need for the same work."""
    rows = {}
    for layer in net["layers"]:
        if not layer["type"].startswith(CONVOLUTIONS) or layer["device"] == "cpu" or layer["macs"] == 0:
            continue
        kernel = layer["kernel"]
        wanted = "int8" if "int8" in kernel else "fp16" if "half_arithmetic" in kernel else "float"
        if "matrix" in kernel:
            wanted = "int8_matrix" if "int8" in kernel else "fp16_matrix"
            if wanted + "_gmacs" not in peak:
                continue
        macs = peak.get(wanted + "_gmacs", peak["float_gmacs"])
        needed = max(layer["macs"] / macs * 1e-6, precision_bytes(net, layer) / peak["read_gb_per_s"] * 1e-6)
        row = rows.setdefault(kernel, {"steps": 0, "ms": 0.0, "needed_ms": 0.0, "macs": 0})
        row["steps"] += 1
        row["ms"] += layer["ms"]
        row["needed_ms"] += needed
        row["macs"] += layer["macs"]
    return [{"network": net["name"], "precision": net["precision"], "kernel": kernel, "steps": row["steps"], "ms": row["ms"],
             "share_of_network": row["ms"] / net["layers_ms"] if net["layers_ms"] else 0.0,
             "gmacs_per_s": row["macs"] / row["ms"] * 1e-6 if row["ms"] else 0.0,
             "share_of_roofline": row["needed_ms"] / row["ms"] if row["ms"] else 0.0} for kernel, row in rows.items()]


def starts(folder):
    rows = []
    for cold in sorted(folder.glob("start-*-cold.json")):
        name = cold.name[len("start-"):-len("-cold.json")]
        if not (folder / f"start-{name}-warm.json").exists():
            continue
        row = {"network": name}
        for kind in ("cold", "warm"):
            net = json.loads((folder / f"start-{name}-{kind}.json").read_text())["nets"][0]
            row["precision"] = net["precision"]
            row[kind + "_load_ms"], row[kind + "_first_ms"] = net["load_ms"], net["first_ms"]
        rows.append(row)
    return rows


def memory(reports):
    rows = {}
    for report in reports:
        for net in report["nets"]:
            half = 0.5 if net["precision"].startswith("fp16") else 1.0
            rows[(net["name"], net["precision"])] = {
                "network": net["name"], "precision": net["precision"], "weights_mib": net["device_weights_mib"],
                "activations_mib": net["mem_mib"] * half}
    return list(rows.values())


def tests(text):
    """GoogleTest's last lines: what ran, passed, was skipped or failed."""
    wanted = (" ran.", " PASSED ", " SKIPPED ", " FAILED ")
    return [line.strip() for line in text.splitlines() if line.startswith("[") and any(word in line for word in wanted)]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    return "-" if value is None else f"{value:.1f}" if value >= 100 else f"{value:.3g}"


def summarise(folder, device):
    peak = json.loads((folder / "peak.json").read_text())
    tag = device.replace(":", "")
    cpu, gpu = least(read(folder, "zoo-cpu-*.json")), least(read(folder, f"zoo-{tag}-*.json"))
    without = least(read(folder, f"without-{tag}-*.json"))
    ncnn_reports = read(folder, "ncnn-*.json")
    ncnn = least(ncnn_reports)
    layers = read(folder, "layers-*.json")
    for report, path in zip(layers, sorted(folder.glob("layers-*.json"))):
        for net in report["nets"] if path.stem.endswith("-without") else []:
            net["precision"] += " without matrices"
    return {
        "devices": (folder / "devices.txt").read_text().splitlines(), "software_device": peak["type"] == "CPU", "peak": peak,
        "tests": tests((folder / "exactness.txt").read_text()),
        "ncnn": ncnn_reports[0]["version"] if ncnn_reports else None,
        "latency": [{"network": name, "precision": precision, "cpu_ms": cpu.get((name, precision)), "gpu_ms": ms,
                     "without_matrices_ms": without.get((name, precision)),
                     "ncnn_gpu_ms": ncnn.get((name, precision.replace("_arithmetic", "")))}
                    for (name, precision), ms in sorted(gpu.items())],
        "start": starts(folder), "memory": memory(layers),
        "convolutions": [row for report in layers for net in report["nets"] for row in roofline(net, peak)]}


def markdown(s):
    parts = ["# Figures of a Vulkan device"]
    if s["software_device"]:
        parts.append("**The device is a software device: it computes on the CPU. These are no figures of a GPU; they show "
                     "that the scripts work.**")
    parts.append("\n".join(s["devices"]))
    parts.append("Tests on the device:\n\n" + "\n".join("    " + line for line in s["tests"]))
    parts.append("Batch 1, milliseconds, the least of all rounds; from the application's input to its output. fp16 is float16 in "
                 "memory, fp16_arithmetic in products too; ncnn's has both where the device can.\n\n" + table(
        ["network", "precision", "CPU", "device", "CPU / device", "without cooperative matrices", "ncnn's Vulkan " + (s["ncnn"] or "(not measured)")],
        [[r["network"], r["precision"], number(r["cpu_ms"]), number(r["gpu_ms"]),
          number(r["cpu_ms"] / r["gpu_ms"] if r["cpu_ms"] else None), number(r["without_matrices_ms"]),
          number(r["ncnn_gpu_ms"])] for r in s["latency"]]))
    parts.append("Start: loading and the first inference, without and with a file of compiled shaders.\n\n" + table(
        ["network", "precision", "cold load", "cold first", "warm load", "warm first"],
        [[r["network"], r["precision"]] + [number(r[k]) for k in ("cold_load_ms", "cold_first_ms", "warm_load_ms", "warm_first_ms")]
         for r in s["start"]]))
    parts.append("Memory on the device, MiB.\n\n" + table(
        ["network", "precision", "weights", "one Extractor's blobs"],
        [[r["network"], r["precision"], number(r["weights_mib"]), number(r["activations_mib"])] for r in s["memory"]]))
    peak = s["peak"]
    parts.append("Measured limits: " + ", ".join(
        f"{number(peak[key])} {text}" for key, text in (
            ("float_gmacs", "GMAC/s float32"), ("fp16_gmacs", "GMAC/s float16"), ("int8_gmacs", "GMAC/s 8-bit dot products"),
            ("int8_matrix_gmacs", "GMAC/s 8-bit cooperative matrices"), ("fp16_matrix_gmacs", "GMAC/s float16 cooperative matrices"),
            ("read_gb_per_s", "GB/s read")) if key in peak) + ".")
    parts.append("Convolutions by shader; of the roofline: the time that the limits need for the same products or bytes, "
                 "whichever is longer, of the time they took. Winograd's steps need fewer products than are counted.\n\n" + table(
                     ["network", "precision", "shader", "steps", "ms", "of the network", "GMAC/s", "of the roofline"],
                     [[r["network"], r["precision"], r["kernel"], str(r["steps"]), number(r["ms"]),
                       f"{r['share_of_network']:.0%}", number(r["gmacs_per_s"]), f"{r['share_of_roofline']:.0%}"]
                      for r in s["convolutions"]]))
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--device", default="vulkan")
    options = parser.parse_args()
    summary = summarise(options.folder, options.device)
    (options.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    text = markdown(summary)
    (options.folder / "summary.md").write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
