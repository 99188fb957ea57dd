"""Runs the test classes of a script: `sys.exit(suites.run(First, Second))`.

The command line names the classes or tests (Class.test_name) to run (all if none), after `--bin FILE`, which is the script's own.
Exit status: 0, 1, 2 for a name of neither, or 77 where every test was skipped, which CTest counts as skipped.
"""
import sys
import unittest


def run(*classes):
    chosen = [arg for i, arg in enumerate(sys.argv) if i > 0 and arg != "--bin" and sys.argv[i - 1] != "--bin"]
    loader = unittest.defaultTestLoader
    suites = {c.__name__: loader.loadTestsFromTestCase(c) for c in classes}
    by_name = {**suites, **{f"{name}.{test._testMethodName}": test for name, suite in suites.items() for test in suite}}
    for name in chosen:
        if name not in by_name:
            print(f"error: there is no suite or test {name!r}, expected {', '.join(suites)}, or Suite.test", file=sys.stderr)
            return 2
    tests = unittest.TestSuite(by_name[name] for name in chosen or suites)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    if result.wasSuccessful() and result.testsRun == len(result.skipped):
        print("SKIPPED:", "; ".join(sorted({reason for _, reason in result.skipped})))
        return 77
    return 0 if result.wasSuccessful() else 1
