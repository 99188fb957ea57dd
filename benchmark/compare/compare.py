#!/usr/bin/env python3
"""Runs Featherweight beside other engines on the same networks, inputs and thread counts, in one run, in turns.

    build/bin/zoo_export all --out build/zoo --onnx
    python3 benchmark/compare/compare.py build/zoo --threads 1,2 --markdown compare.md
    python3 benchmark/compare/compare.py build/zoo --nets mobilenet_v1,resnet18 --peers fw,onnxruntime --rounds 20

Every engine runs in a process of its own, pinned to as many cores as it may use threads; rounds go A B C A B C ..., so
that a machine that slows down slows all. int8 models are made by each peer's own static quantizer from the same seeded
images. A peer that is not installed, or cannot do a network, is reported as missing. Exit 1 when Featherweight itself
failed, 2 for wrong arguments.
"""
import argparse
import os
import pathlib
import platform
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

try:
    import nets as net_files
    import peers
    import report
    import worker
except ImportError as missing:
    sys.exit(f"error: {missing}: pip install -r benchmark/compare/requirements.txt")

# Float engines sum in different orders; beyond this share of the largest value something else is computed.
FLOAT_TOLERANCE = 1e-3


class Parser(argparse.ArgumentParser):
    """Errors as one line, as the other commands report them."""

    def error(self, message):
        print(f"error: {message} (see compare.py --help)", file=sys.stderr)
        sys.exit(2)


def positive(text):
    value = int(text) if text.strip().isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return value


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0, at most 3600")
    return value


def check_files(parser, options):
    """Before a long run, not after it."""
    outputs = [path for path in (options.json, options.markdown, options.html) if path is not None]
    for path in outputs:
        if not path.parent.is_dir():
            parser.error(f"{path}: there is no folder {path.parent}")
        if path.is_dir():
            parser.error(f"{path} is a folder, expected a file")
    if len({path.resolve() for path in outputs}) < len(outputs):
        parser.error("two outputs are one file")
    library = options.build / "lib" / "libfw.so"
    if "fw" in options.peers and not library.is_file():
        parser.error(f"{library} does not exist: build Featherweight, or name the build folder with --build")


def parse_arguments():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="networks as zoo_export --onnx writes them")
    parser.add_argument("--nets", default="", help="names separated by commas (default: all of the folder)")
    parser.add_argument("--peers", default=",".join(peers.MODULES), help="default: %(default)s")
    parser.add_argument("--precisions", default="float,int8", help="of float, int8 and (Featherweight only) auto")
    parser.add_argument("--threads", default="1", help="thread counts separated by commas (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=9, help="turns of every engine (default: %(default)s)")
    parser.add_argument("--seconds", type=seconds, default=0.15, help="length of a turn (default: %(default)s)")
    parser.add_argument("--images", type=positive, default=16, help="to calibrate with (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=positive, default=600, help="seconds for one answer (default: %(default)s)")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"), help="default: %(default)s")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/compare"), help="converted models")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--html", type=pathlib.Path, help="a page with tables that sort, which needs nothing else")
    options = parser.parse_args()
    options.peers = list(dict.fromkeys(options.peers.split(",")))
    options.precisions = list(dict.fromkeys(options.precisions.split(",")))
    for peer in options.peers:
        if peer not in peers.MODULES:
            parser.error(f"unknown peer '{peer}', expected some of {', '.join(peers.MODULES)}")
    for precision in options.precisions:
        if precision not in ("float", "int8", "auto"):
            parser.error(f"unknown precision '{precision}', expected float, int8 or auto")
    try:
        options.threads = list(dict.fromkeys(positive(count) for count in options.threads.split(",")))
    except argparse.ArgumentTypeError:
        parser.error(f"--threads '{options.threads}': expected whole numbers above 0")
    check_files(parser, options)
    try:
        options.nets = net_files.list_nets(options.folder, [name for name in options.nets.split(",") if name])
    except (ValueError, KeyError, TypeError) as error:
        parser.error(f"{options.folder}: {error}")
    if not options.nets:
        parser.error(f"no networks in {options.folder}: write them with zoo_export --onnx")
    return options


def prepare(options, net, images):
    """[(entry, prepared)] for every engine and precision; entries of missing ones say why."""
    prepared = []
    for peer in options.peers:
        for precision in options.precisions:
            if precision == "auto" and peer != "fw":
                continue
            entry = {"net": net.name, "peer": peer, "precision": precision}
            model = None
            try:
                folder = options.work / net.name / f"{peer}-{precision}"
                entry["version"], model = worker.prepare(peer, net, precision, images, folder, options.timeout)
            except peers.Missing as missing:
                entry["missing"] = str(missing)
            prepared.append((entry, model))
    return prepared


def start(options, net, prepared, threads, inputs):
    """Entries for one thread count, with a running worker for those that are not missing."""
    running = []
    for template, model in prepared:
        entry = dict(template, threads=threads)
        process = None
        if "missing" not in entry:
            try:
                process = worker.Worker(entry["peer"], net, model, entry["precision"], threads, inputs, options.timeout)
                entry.update(process.facts)
            except peers.Missing as missing:
                entry["missing"] = str(missing)
        running.append((entry, process))
    return running


def check_outputs(running):
    """Float outputs against Featherweight's; marks entries that do not agree."""
    reference = None
    for entry, process in running:
        if process is None or entry["precision"] != "float":
            continue
        try:
            outputs = process.ask("outputs")
        except peers.Missing as missing:
            entry["missing"] = str(missing)
            continue
        if reference is None:
            reference = outputs if entry["peer"] == "fw" else None
        if reference is not None and entry["peer"] != "fw":
            entry["difference"] = report.agreement(reference, outputs)
            entry["agrees"] = entry["difference"] is not None and entry["difference"] <= FLOAT_TOLERANCE


def measure(options, net, prepared, threads, inputs):
    running = start(options, net, prepared, threads, inputs)
    times = {i: [] for i in range(len(running))}
    try:
        check_outputs(running)
        for turn in range(options.rounds + 1):
            for i, (entry, process) in enumerate(running):
                if process is None or "missing" in entry:
                    continue
                try:
                    got = process.ask("time", options.seconds, 3)
                except peers.Missing as missing:
                    entry["missing"] = str(missing)
                    continue
                if turn > 0:  # the first turn warms up
                    times[i] += got
                time.sleep(0.01)  # lets spinning threads go to sleep
        for i, (entry, process) in enumerate(running):
            if times[i] and "missing" not in entry:
                try:
                    entry.update(report.summarise(times[i]), peak_rss_mib=process.ask("memory"))
                except peers.Missing as missing:
                    entry["missing"] = str(missing)
    finally:
        for _, process in running:
            if process is not None:
                process.close()
    return [entry for entry, _ in running]


def main():
    options = parse_arguments()
    os.environ["FW_BUILD"] = str(options.build.resolve())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    results, begin = [], time.monotonic()
    for index, net in enumerate(options.nets):
        images = [net_files.seeded_inputs(net, options.seed + i) for i in range(options.images)]
        prepared = prepare(options, net, images)
        inputs = net_files.seeded_inputs(net, options.seed + options.images)
        for threads in options.threads:
            results += measure(options, net, prepared, threads, inputs)
        for path, text in ((options.json, report.to_json), (options.markdown, report.markdown),
                           (options.html, report.html)):
            if path is not None:  # after every network: a long run that is cut short has not been in vain
                beside = path.with_name(path.name + ".part")
                beside.write_text(text(results, machine))
                beside.replace(path)
        spent = time.monotonic() - begin
        left = spent / (index + 1) * (len(options.nets) - index - 1)
        print(f"[{index + 1}/{len(options.nets)}] {net.name} done, about {left:.0f} s left", file=sys.stderr)
    print(report.markdown(results, machine))
    ours = [entry for entry in results if entry["peer"] == "fw" and "missing" in entry]
    for entry in ours:
        print(f"error: fw {entry['precision']} on {entry['net']}: {entry['missing']}", file=sys.stderr)
    return 1 if ours else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
    except OSError as error:
        sys.exit(f"error: {error}")
