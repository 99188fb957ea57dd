"""Regenerates every golden file: python3 tests/golden/make_all.py"""
import glob
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
for script in sorted(glob.glob(os.path.join(here, "make_*.py"))):
    if os.path.basename(script) != "make_all.py":
        subprocess.check_call([sys.executable, script])
