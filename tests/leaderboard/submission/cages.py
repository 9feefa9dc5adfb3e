"""Bubblewrap for the tests that need it: from Debian's package where root may install it, else they skip and say so."""

import os
import shutil
import subprocess

import pytest

from crossplay.leaderboard.submission import walls


def real_cage() -> None:
    """Skips the tests of a module where there is no cage and none can be had."""
    if not shutil.which("bwrap") and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60", "bubblewrap"]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, capture_output=True, check=False, timeout=300)
        walls.caged.cache_clear()
    if not walls.caged():
        pytest.skip("bubblewrap is not installed, or may not make namespaces here", allow_module_level=True)
