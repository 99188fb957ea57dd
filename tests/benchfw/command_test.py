#!/usr/bin/env python3
"""benchfw as a user runs it: python3 tests/benchfw/command_test.py --bin build/bin/benchfw [SUITE]

Usage: exit codes and messages. Report: lines and JSON. Tune: tables by measured times. Page: the HTML page in a headless Chromium (skipped, 77, without one).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import suites  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHFW = pathlib.Path(sys.argv[sys.argv.index("--bin") + 1]).resolve() if "--bin" in sys.argv else ROOT / "build/bin/benchfw"
SMALL = "squeezenet_v1_1"
NET = """7767517
4 4
Input in 0 1 data 0=16 1=16 2=3
Convolution c 1 1 data a 0=8 1=3 4=1 5=1 6=216 9=1
Pooling p 1 1 a b 4=1 0=1
InnerProduct fc 1 1 b out 0=5 1=1 2=40
"""
LINE = re.compile(r"^(\S+) (float|int8|auto) threads=(\d+) min=(\d+\.\d{3}) med=(\d+\.\d{3}) max=(\d+\.\d{3}) mem=(\d+\.\d\d) "
                  r"conversions=(\d+) peak=(\d+\.\d)%$")


class Bench(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fw_benchfw_"))
        self.addCleanup(shutil.rmtree, self.dir)

    def write(self, name, text):
        (self.dir / name).write_text(text)
        return name

    def run_bench(self, *args, expect=0, env=None):
        done = subprocess.run([BENCHFW, *map(str, args)], capture_output=True, text=True, timeout=100, cwd=self.dir,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, expect, f"{args}\n{done.stdout}\n{done.stderr}")
        if expect != 0:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertTrue(lines[0].startswith("error: "), done.stderr)
        return done


class Usage(Bench):
    def fails(self, expect, part, *args, **more):
        self.assertIn(part, self.run_bench(*args, expect=expect, **more).stderr)

    def test_bad_arguments_are_exit_2(self):
        self.write("net.param", NET)
        self.fails(2, "resnet99", "--zoo", "resnet99")
        self.fails(2, "--zoo", "net.param", "--zoo", SMALL)
        self.fails(2, "--threads", "--threads", "-1")
        self.fails(2, "--loops", "--loops", "0")
        self.fails(2, "--loops", "--loops", "many")
        self.fails(2, "--nonsense", "--nonsense")
        self.fails(2, "tpu", "--device", "tpu")
        self.fails(2, "vulkan:x", "--device", "vulkan:x")
        self.fails(2, "auto:", "--device", "auto:")
        self.fails(2, "sse9", "--isa", "sse9")
        self.fails(2, "0,1", "net.param", "--input-shape", "0,1")
        self.fails(2, "1,2,", "net.param", "--input-shape", "1,2,")
        self.fails(2, "--zoo", "--zoo", "")
        self.fails(2, "belongs to one", "--table", "some.table")
        self.fails(2, "--tune", "net.param", "--tune", "out.table")
        self.fails(2, "--tune", "net.param", "--table", "some.table", "--tune", "out.table", "--int8")
        self.fails(2, "some.table", "net.param", "--table", self.write("some.table", "c 60\n"), "--tune", "some.table")
        self.fails(2, "net.param", "net.param", "--json", "net.param")
        self.fails(2, "two outputs", "net.param", "--json", "x", "--html", "x")

    def test_what_is_not_there_is_exit_1(self):
        self.write("net.param", NET)
        self.fails(1, "none.param", "none.param")
        self.fails(1, "none.bin", "net.param", "none.bin")
        self.fails(1, "none.table", "net.param", "--table", "none.table")
        self.fails(1, "vulkan", "net.param", "--device", "vulkan:99")
        self.fails(1, "other", "net.param", "--table", self.write("other.table", "other 1.5\nother_param_0 2\n"))
        self.fails(1, "--input-shape", self.write("open.param", NET.replace(" 0=16 1=16 2=3", "")))
        self.fails(1, "nowhere", "--json", "nowhere/out.json")
        self.fails(1, "nowhere", "net.param", "--table", self.write("c.table", "c 60\n"), "--tune", "nowhere/out.table")
        self.fails(1, "FW_ISA", "net.param", env={"FW_ISA": "sse9"})
        missing = "neon" if os.uname().machine == "x86_64" else "avx2"
        self.fails(1, missing, "net.param", "--isa", missing)

    def test_help_and_list(self):
        self.assertIn("Examples:", self.run_bench("--help").stdout)
        self.assertRegex(self.run_bench("--version").stdout, r"^benchfw \d")
        names = [line.split()[0] for line in self.run_bench("--list").stdout.splitlines()]
        self.assertIn(SMALL, names)
        self.assertEqual(names, sorted(names))


class Report(Bench):
    def test_line_and_json_of_a_file_with_random_weights(self):
        self.write("net.param", NET)
        done = self.run_bench("net.param", "--float", "--int8", "--loops", 5, "--layers", "--quiet", "--json", "out.json")
        lines = [LINE.match(line) for line in done.stdout.splitlines() if " threads=" in line]
        self.assertEqual([m.group(1, 2, 3) for m in lines], [("net", "float", "1"), ("net", "int8", "1")])
        report = json.loads((self.dir / "out.json").read_text())
        machine = report["machine"]
        self.assertGreater(machine["peak_int8_gmacs"], 0)
        self.assertGreater(machine["peak_fp32_gmacs"], 0)
        self.assertTrue(machine["cpu"] and machine["isa"])
        self.assertEqual([(n["name"], n["precision"]) for n in report["nets"]], [("net", "float"), ("net", "int8")])
        for net, line in zip(report["nets"], lines):
            self.assertEqual(line.group(4), f"{net['min_ms']:.3f}")
            self.assertEqual(net["loops"], 5)
            self.assertEqual(net["device"], "cpu")
            self.assertLessEqual(net["min_ms"], net["med_ms"])
            self.assertLessEqual(net["med_ms"], net["max_ms"])
            self.assertEqual(net["macs"], 16 * 16 * 8 * 27 + 40)
            self.assertRegex(net["output_hash"], "^[0-9a-f]{16}$")
            self.assertEqual(int(line.group(8)), sum(l["conversion"] for l in net["layers"]))
            self.assertAlmostEqual(sum(l["percent"] for l in net["layers"]), 100, delta=0.1)
            self.assertAlmostEqual(sum(l["ms"] for l in net["layers"]), net["layers_ms"], delta=1e-9)
            self.assertEqual([l["name"] for l in net["layers"] if l["type"] == "Output"], ["out"])  # the caller's copy
            # The copy is timed by doing it once more, so the sum may be a little more than the whole.
            self.assertLess(net["layers_ms"], 2 * net["profiled_ms"])
            for layer in net["layers"]:
                self.assertGreaterEqual(set(layer), {"name", "type", "kernel", "isa", "device", "precision", "ms", "percent",
                                                     "macs", "gmacs_per_s"})
        convolution = [[l for l in n["layers"] if l["name"] == "c"][0] for n in report["nets"]]
        self.assertEqual([l["precision"] for l in convolution], ["float", "int8"])
        self.assertEqual(convolution[0]["output_shape"], [8, 16, 16])
        self.assertIn("gemm_int8", convolution[1]["kernel"])

    def test_says_that_the_device_failed_even_when_quiet(self):
        self.write("net.param", NET)
        for quiet in ([], ["--quiet"]):
            done = self.run_bench("net.param", "--loops", "1", "--device", "vulkan:99", "--device-fallback", *quiet)
            self.assertRegex(done.stderr, "warning: device 'vulkan:99': .*: everything runs on the CPU\n")
        done = self.run_bench("net.param", "--loops", "1", "--device", "vulkan:99", "--device-fallback", "--quiet",
                              env={"FW_VULKAN": "0"})
        self.assertIn("everything runs on the CPU", done.stderr)

    def test_levels_and_threads_give_the_same_int8_bits(self):
        def outputs(*args):
            self.run_bench("--zoo", SMALL, "--int8", "--loops", 1, "--warmup", 0, "--json", "out.json", *args)
            net = json.loads((self.dir / "out.json").read_text())["nets"][0]
            return net["output_hash"], net["threads"]
        first = outputs()
        self.assertEqual(first[1], 1)
        self.assertEqual(outputs("--isa", "scalar")[0], first[0])
        self.assertEqual(outputs("--threads", 2), (first[0], 2))

    def test_a_given_table_runs_auto(self):
        self.write("net.param", NET)
        table = self.write("net.table", "c 60\n")
        done = self.run_bench("net.param", "--table", table, "--loops", 1)
        self.assertRegex(done.stdout, "(?m)^net auto threads=1 ")


class Tune(Bench):
    TABLE = "fwtable 2\nblob data 60.0 0\nblob a 12.0 -128\nblob b 24.5 -128\nlayer fc float\n"

    def tuned(self, *args):
        self.write("net.param", NET)
        self.write("net.table", self.TABLE)
        done = self.run_bench("net.param", "--table", "net.table", "--tune", "out.table", "--loops", 5, "--json", "out.json", *args)
        lines = (self.dir / "out.table").read_text().splitlines()
        return done.stdout, lines, json.loads((self.dir / "out.json").read_text())["nets"]

    def test_the_table_says_what_ran_fastest_and_keeps_the_rest(self):
        out, lines, nets = self.tuned()
        self.assertEqual([(n["name"], n["precision"]) for n in nets],
                         [("net", "float"), ("net", "int8"), ("net", "auto"), ("net:tuned", "auto")])
        fastest = min(nets, key=lambda n: n["min_ms"])
        for line in self.TABLE.splitlines():  # scales, and what calibrate left in float for accuracy
            self.assertIn(line, lines)
        stated = dict(line.split()[1:] for line in lines if line.startswith("layer "))
        self.assertEqual(stated.pop("fc"), "float")
        # "c" and "p" can run int8 here; the fastest network's precisions are in the table.
        runs = {l["name"]: l["precision"] for l in fastest["layers"] if not l["conversion"] and l["type"] != "Output"}
        self.assertEqual(stated, {name: runs[name] for name in stated})
        self.assertIn("c", stated)
        self.assertIn(f"{len([v for v in stated.values() if v == 'int8'])} layers int8", out)

    def test_the_table_can_be_used(self):
        _, lines, _ = self.tuned()
        self.run_bench("net.param", "--table", "out.table", "--loops", 1, "--json", "again.json")
        net = json.loads((self.dir / "again.json").read_text())["nets"][0]
        runs = {l["name"]: l["precision"] for l in net["layers"]}
        for line in lines:
            if line.startswith("layer "):
                self.assertEqual(runs[line.split()[1]], line.split()[2], line)


class Page(Bench):
    def test_renders_without_network_and_shows_names_as_text(self):
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if browser is None:
            self.skipTest("no chromium here (scripts/install_deps.sh browser)")
        bad = "</script><script>document.title='owned'</script>"
        self.write("net.param", NET.replace(" c 1 1", f" {bad.replace(' ', '')} 1 1"))
        self.run_bench("net.param", "--float", "--int8", "--loops", 3, "--json", "out.json", "--html", "out.html")
        page = (self.dir / "out.html").read_text()
        self.assertNotRegex(page.replace("http://www.w3.org/2000/svg", ""), "https?://")
        dom = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.dir}/profile",
                              "--virtual-time-budget=5000", "--dump-dom", f"file://{self.dir}/out.html"],
                             capture_output=True, text=True, timeout=90).stdout
        nets = json.loads((self.dir / "out.json").read_text())["nets"]
        steps = sum(len(net["layers"]) for net in nets)
        self.assertIn(f'data-rendered="{steps}"', dom)
        self.assertEqual(len(re.findall(r'<rect [^>]*class="bar (?:float|int8|conversion)"', dom)), steps)
        self.assertEqual(len(re.findall(r'<rect [^>]*class="step ', dom)), steps)
        self.assertEqual(len(re.findall("<circle ", dom)), sum(l["macs"] > 0 for n in nets for l in n["layers"]))
        self.assertEqual(len(re.findall("<tr", dom)), 3 + 2 + steps)  # headings and rows of the three tables
        self.assertIn("<title>benchfw</title>", dom)
        self.assertIn("&lt;/script&gt;", dom)


if __name__ == "__main__":
    sys.exit(suites.run(Usage, Report, Tune, Page))
