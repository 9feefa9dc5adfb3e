"""Compiled loops whose cache notices every source they were made from.

numba's cache compares the one file a function is in; what that function inlines from other files may change unnoticed,
and stale rules would be played. Here the digest of all those sources is part of what must match.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from crossplay.benchmark.config import sha256

_LUCK = Path(__file__).with_name("luck.py")


def kernels(*sources: Path, parallel: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that compiles loops made from the Python files in `sources` (files or folders), and luck.py."""
    files = [file for source in sources for file in (sorted(source.glob("*.py")) if source.is_dir() else [source])]
    digest = sha256(b"\0".join(file.read_bytes() for file in [*files, _LUCK]))

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher = numba.njit(parallel=parallel, cache=True)(function)
        index = dispatcher._cache._cache_file  # type: ignore[attr-defined]  # numba offers no public way
        index._source_stamp = (index._source_stamp, digest)
        return dispatcher

    return compiled
