"""The figures that benchmark/compare prints, from measurements made up by hand."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmark" / "compare"))

import report  # noqa: E402


def entry(net, peer, precision, milliseconds, **more):
    return dict({"net": net, "peer": peer, "precision": precision, "threads": 1, "version": "1.0",
                 "min_ms": milliseconds, "med_ms": milliseconds, "max_ms": milliseconds}, **more)


RESULTS = [
    entry("a", "fw", "float", 4.0), entry("a", "fw", "int8", 1.0),
    entry("a", "x", "float", 2.0), entry("a", "x", "int8", 4.0),
    entry("b", "fw", "float", 4.0), entry("b", "fw", "int8", 1.0),
    entry("b", "x", "float", 8.0, agrees=False, difference=0.5),
    {"net": "b", "peer": "x", "precision": "int8", "threads": 1, "missing": "no quantizer"},
]


class Report(unittest.TestCase):
    def test_ratios_take_the_best_peer(self):
        lines = report.table(RESULTS, 1).splitlines()
        # int8: the best of x on a is its float (2 / 1), on b too (8 / 1); float: 2 / 4 and 8 / 4.
        self.assertEqual(lines[2], "| a | 4.00 | 1.00 | 2.00 | 4.00 | 2.00x | 0.50x |")
        self.assertEqual(lines[3], "| b | 4.00 | 1.00 | 8.00 ! | missing | 8.00x | 2.00x |")
        self.assertTrue(lines[4].endswith("| **4.00x** | **1.00x** |"), lines[4])

    def test_networks_that_a_peer_wins_are_named(self):
        text = report.against_each(RESULTS, 1)
        self.assertIn("fw float against x float: 1.00x over 2 networks; slower on a 0.50x", text)
        self.assertIn("fw int8 against x int8: 4.00x over 1 networks; slower on none", text)

    def test_what_is_missing_or_differs_is_said(self):
        text = report.notes(RESULTS)
        self.assertIn("b, x int8, threads=1: missing: no quantizer", text)
        self.assertIn("b, x float (!): float outputs differ from Featherweight's by 0.5 of the largest value", text)

    def test_without_peers_there_are_no_ratios(self):
        lines = report.table(RESULTS[:2], 1).splitlines()
        self.assertEqual(lines[2], "| a | 4.00 | 1.00 | - | - |")

    def test_summary_and_json(self):
        summary = report.summarise([3.0, 1.0, 2.0, 10.0])
        self.assertEqual(summary, {"min_ms": 1.0, "med_ms": 2.5, "max_ms": 10.0, "runs": 4})
        self.assertEqual(json.loads(report.to_json(RESULTS, "m"))["results"], RESULTS)

    def test_page_renders_without_network_and_shows_names_as_text(self):
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if browser is None:
            self.skipTest("no chromium here (scripts/install_deps.sh browser)")
        bad = "</script><script>document.title='owned'</script>@DATA@"
        page = report.html(RESULTS + [entry(bad, "fw", "float", 3.0)], "a machine @STYLE@")
        self.assertNotRegex(page.replace("http://www.w3.org/2000/svg", ""), "https?://")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "page.html"
            path.write_text(page)
            dom = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                                  "--virtual-time-budget=5000", "--dump-dom", path.as_uri()], capture_output=True, text=True,
                                 timeout=90, check=False).stdout
        self.assertIn("<title>compare</title>", dom)
        self.assertIn('data-rendered="3"', dom)
        self.assertIn("&lt;/script&gt;", dom)
        self.assertEqual(re.findall(r'<b class="(?:win|lose)">([^<]*)</b>', dom), ["2.00x", "0.50x", "8.00x", "2.00x"])
        self.assertIn("Geometric means: int8 4.00x, float 1.00x.", dom)
        self.assertIn("no quantizer", dom)

    def test_geometric_mean(self):
        self.assertAlmostEqual(report.geometric_mean([2.0, 8.0]), 4.0)

    def test_markdown_has_a_part_for_each_thread_count(self):
        two = [dict(e, threads=2) for e in RESULTS]
        text = report.markdown(RESULTS + two, "machine")
        self.assertIn("### 1 thread,", text)
        self.assertIn("### 2 threads,", text)
        self.assertIn("Versions: fw 1.0, x 1.0. Machine: machine.", text)


if __name__ == "__main__":
    unittest.main()
