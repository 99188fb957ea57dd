"""compare.py with wrong arguments: one line on stderr and exit 2, before anything is measured."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "benchmark" / "compare" / "compare.py"


class Usage(unittest.TestCase):
    def fails(self, part, *arguments):
        done = subprocess.run([sys.executable, "-B", COMPARE, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        self.assertIn(part, done.stderr)

    def test_wrong_arguments(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "lib").mkdir()
            (folder / "lib" / "libfw.so").touch()
            given = (folder, "--build", folder)
            self.fails("folder")
            self.fails("tensorrt", *given, "--peers", "fw,tensorrt")
            self.fails("fp64", *given, "--precisions", "float,fp64")
            for threads in ("0", "1,x", "", "-1", "1.5"):
                self.fails("--threads", *given, f"--threads={threads}")
            for rounds in ("0", "many", "-3", "1.5"):
                self.fails("--rounds", *given, f"--rounds={rounds}")
            for length in ("0", "-1", "nan", "inf", "x"):
                self.fails("--seconds", *given, f"--seconds={length}")
            self.fails("--nonsense", *given, "--nonsense")
            self.fails("no networks", *given)
            self.fails("resnet99", *given, "--nets", "resnet99")
            self.fails("no folder", *given, "--json", folder / "none" / "a.json")
            self.fails("is a folder", *given, "--html", folder)
            self.fails("two outputs", *given, "--html", folder / "a", "--markdown", folder / "a")
            self.fails("libfw.so does not exist", folder, "--build", folder / "none")
            (folder / "bad.param").touch()
            (folder / "bad.json").write_text("{")
            self.fails("Expecting", *given)
            (folder / "bad.json").write_text("{}")
            self.fails("inputs", *given)


if __name__ == "__main__":
    try:
        import numpy  # noqa: F401, compare.py needs it
    except ImportError:
        print("SKIPPED: no numpy here")
        sys.exit(77)
    unittest.main()
