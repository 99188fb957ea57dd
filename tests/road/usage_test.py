#!/usr/bin/env python3
"""Exit codes and messages."""
import sys

from road import Road
import suites


class Usage(Road):
    TOOLS = ["caffe2fw", "calibrate", "fwopt", "fweval", "fwrun", "fwdiff", "squeezenet", "ssd", "segment", "facemesh"]

    def test_help_and_version(self):
        for tool in self.TOOLS:
            text = self.run_tool(tool, "--help").stdout
            self.assertIn("Examples:", text, tool)
            self.assertRegex(self.run_tool(tool, "--version").stdout, rf"^{tool} \d+\.\d+\.\d+\n$")

    def test_bad_usage_is_exit_2(self):
        for tool in self.TOOLS:
            self.run_tool(tool, expect=2)
            self.run_tool(tool, "--no-such-option", expect=2)
        self.run_tool("calibrate", "a", "b", "--images", "c", "--out", "d", "--method", "magic", expect=2)
        self.run_tool("fwrun", "a", "b", expect=2)

        for value in ("0", "-1", "x"):
            done = self.run_tool("calibrate", "a", "b", "--images", "c", "--out", "d", "--limit", value, expect=2)
            self.assertLess(len(done.stderr), 120)
        self.run_tool("fwrun", "a", "b", "x.jpg", "--table", "", expect=2)
        self.run_tool("fwrun", "a", "b", "x.jpg", "--precision", "int8", expect=2)
        self.run_tool("fweval", "a", "b", "--images", "x.jpg", "--precision", "int8", expect=2)
        self.run_tool("caffe2fw", "a", "b", "c", "d", "--norm", "0", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "b.param", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "a.param", "b.bin", expect=2)
        self.run_tool("fwopt", "a.param", "a.bin", "b.param", "t.table", "--int8", "t.table", expect=2)
        done = self.run_tool("fwdiff", "a", "b", "--tol", "-1", expect=2)
        self.assertLess(len(done.stderr), 120)

    def test_missing_files_are_exit_1_and_named(self):
        for args in (("fwrun", "no.param", "no.bin", "x.jpg"), ("fwdiff", "no.npy", "b.npy"),
                     ("caffe2fw", "no.prototxt", "no.caffemodel", "a", "b"), ("squeezenet", "no.jpg", "no_dir"),
                     ("segment", "no.jpg", "no_dir"), ("facemesh", "no.jpg", "no_dir"),
                     ("fwopt", "no.param", "no.bin", "a", "b"),
                     ("calibrate", "no.param", "no.bin", "--images", "no_dir", "--out", "t")):
            self.assertIn("no", self.run_tool(*args, expect=1).stderr)

    def test_bad_environment(self):
        param = self.dir / "n.param"
        param.write_text("7767517\n2 2\nInput in 0 1 in 0=3\nReLU r 1 1 in out\n")
        (self.dir / "n.bin").write_bytes(b"")
        done = self.run_tool("fwrun", "n.param", "n.bin", "--input", "x.npy", expect=1, env={"FW_ISA": "sse9"})
        self.assertIn("FW_ISA", done.stderr)


if __name__ == "__main__":
    sys.exit(suites.run(Usage))
