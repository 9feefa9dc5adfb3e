"""A compiled loop is compiled anew when a file it inlines has changed, though its own file has not."""

import subprocess
import sys

HELPER = "import numba\n\n@numba.njit(forceinline=True)\ndef price(x):\n    return {} * x\n"
LOOP = """
from pathlib import Path
import sys
from crossplay.benchmark.compiled import kernels
from helper import price

@kernels(Path(__file__).parent)
def total(values):
    found = 0
    for i in range(len(values)):
        found += price(values[i])
    return found

import numpy as np
total(np.arange(4))
print(total(np.arange(4)), sum(total.stats.cache_hits.values()))
"""


def run(folder):
    found = subprocess.run([sys.executable, "-B", "loop.py"], cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout.split()


def test_a_changed_helper_is_noticed_and_an_unchanged_one_is_not_compiled_again(tmp_path):
    (tmp_path / "loop.py").write_text(LOOP)
    (tmp_path / "helper.py").write_text(HELPER.format(2))
    assert run(tmp_path) == ["12", "0"]
    assert run(tmp_path) == ["12", "1"]
    (tmp_path / "helper.py").write_text(HELPER.format(3))
    assert run(tmp_path) == ["18", "0"]
