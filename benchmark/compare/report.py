"""Figures of a comparison as text, markdown and JSON."""
import json
import math
import pathlib
import statistics

FOLDER = pathlib.Path(__file__).resolve().parent


def agreement(reference, outputs):
    """Largest |difference| of any output, relative to the reference's largest magnitude; None = shapes differ."""
    worst = 0.0
    for name, expected in reference.items():
        got = outputs.get(name)
        if got is None or got.size != expected.size:
            return None
        scale = max(float(abs(expected).max()), 1e-30)
        worst = max(worst, float(abs(got.reshape(-1) - expected.reshape(-1)).max()) / scale)
    return worst


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def summarise(times):
    return {"min_ms": min(times), "med_ms": statistics.median(times), "max_ms": max(times), "runs": len(times)}


def columns(results):
    """(peer, precision) in order of appearance."""
    seen = dict.fromkeys((entry["peer"], entry["precision"]) for entry in results)
    return list(seen)


def cell(entry, figure):
    if entry is None:
        return "-"
    if "missing" in entry:
        return "missing"
    flag = "" if entry.get("agrees", True) else " !"
    return f"{entry[figure]:.2f}{flag}"


def best_of(row, peer, figure, ours):
    """The fastest entry of a row that belongs to `peer` (ours) or to anybody else."""
    times = [entry[figure] for (name, _), entry in row.items() if "missing" not in entry and (name == peer) == ours]
    return min(times) if times else None


def table(results, threads, figure="med_ms"):
    """A markdown table of one thread count: a row a network, a column an engine and precision, then how many times as
    fast Featherweight's int8 is as the best peer (float or int8), and its float as the best float peer."""
    results = [entry for entry in results if entry["threads"] == threads]
    heads = columns(results)
    rows = {}
    for entry in results:
        rows.setdefault(entry["net"], {})[entry["peer"], entry["precision"]] = entry
    lines = ["| net | " + " | ".join(f"{peer} {precision}" for peer, precision in heads) + " | int8 | float |",
             "|---" * (len(heads) + 3) + "|"]
    ratios = {"int8": [], "float": []}
    for net, row in rows.items():
        cells = [cell(row.get(head), figure) for head in heads]
        for precision in ("int8", "float"):
            mine = {key: entry for key, entry in row.items() if key[0] == "fw" and key[1] == precision}
            others = {key: entry for key, entry in row.items()
                      if key[0] != "fw" and (precision == "int8" or key[1] == "float")}
            our, their = best_of(mine, "fw", figure, True), best_of(others, "fw", figure, False)
            cells.append(f"{their / our:.2f}x" if our and their else "-")
            if our and their:
                ratios[precision].append(their / our)
        lines.append(f"| {net} | " + " | ".join(cells) + " |")
    means = [f"**{geometric_mean(ratios[p]):.2f}x**" if ratios[p] else "-" for p in ("int8", "float")]
    lines.append("| geometric mean | " + " | ".join([""] * len(heads) + means) + " |")
    return "\n".join(lines)


def against_each(results, threads, figure="med_ms"):
    """How many times as fast Featherweight is as each peer, precision by precision: geometric mean and the networks on
    which the peer wins."""
    by_key = {(e["net"], e["peer"], e["precision"]): e for e in results if e["threads"] == threads and "missing" not in e}
    lines = []
    for peer, precision in columns(results):
        if peer == "fw":
            continue
        ratios = {net: entry[figure] / by_key[net, "fw", precision][figure]
                  for (net, name, p), entry in by_key.items()
                  if name == peer and p == precision and (net, "fw", precision) in by_key}
        if ratios:
            lost = [f"{net} {ratio:.2f}x" for net, ratio in sorted(ratios.items(), key=lambda item: item[1]) if ratio < 1]
            lines.append(f"- fw {precision} against {peer} {precision}: {geometric_mean(list(ratios.values())):.2f}x over "
                         f"{len(ratios)} networks" + (f"; slower on {', '.join(lost)}" if lost else "; slower on none"))
    return "\n".join(lines)


def notes(results):
    """What is missing and what does not agree, a line each."""
    lines = [f"- {e['net']}, {e['peer']} {e['precision']}, threads={e['threads']}: missing: {e['missing']}"
             for e in results if "missing" in e]
    lines += [f"- {e['net']}, {e['peer']} {e['precision']} (!): float outputs differ from Featherweight's by "
              + ("shape" if e["difference"] is None else f"{e['difference']:.2g} of the largest value")
              for e in results if not e.get("agrees", True) and e["threads"] == results[0]["threads"]]
    return "\n".join(dict.fromkeys(lines))


def markdown(results, machine):
    versions = dict.fromkeys((e["peer"], e["version"]) for e in results if "version" in e)
    parts = ["Versions: " + ", ".join(f"{peer} {version}" for peer, version in versions) + f". Machine: {machine}."]
    for threads in dict.fromkeys(entry["threads"] for entry in results):
        parts.append(f"### {threads} thread{'s' if threads > 1 else ''}, median milliseconds\n\n"
                     + table(results, threads) + "\n\n" + against_each(results, threads))
    if notes(results):
        parts.append("### Notes\n\n" + notes(results))
    return "\n\n".join(parts) + "\n"


def html(results, machine):
    """One page that needs nothing else: report.html with the looks and tables of benchfw's page and the results."""
    common = FOLDER.parent.parent / "tools" / "common"
    data = json.dumps({"machine": machine, "results": results}, default=float).replace("<", "\\u003c")
    parts = {"@STYLE@": (common / "page.css").read_text(), "@DATA@": data, "@SCRIPT@": (common / "page.js").read_text()}
    page = (FOLDER / "report.html").read_text()
    for piece in parts:  # in the template's order, looked for in the template alone: data may hold such words
        before, _, after = page.partition(piece)
        parts[piece] = (before, parts[piece])
        page = after
    return "".join(before + text for before, text in parts.values()) + page


def to_json(results, machine):
    return json.dumps({"machine": machine, "results": results}, indent=1, default=float) + "\n"
