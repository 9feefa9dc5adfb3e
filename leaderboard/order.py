"""In which order a heatmap shows an entry's seeds and a family's partners; entries and families stay where they are."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from crossplay.benchmark.errors import unknown
from crossplay.leaderboard.heatmap import Group, Matrix

Sort = Callable[[Sequence[int], Sequence[str], np.ndarray], Sequence[int]]  # (places, all names, all values) → places
FAR = 1e300  # between two that have nothing in common to be compared by


def by_name(at: Sequence[int], names: Sequence[str], values: np.ndarray) -> Sequence[int]:
    """By name, numbers by size: ippo-2 before ippo-10."""
    return sorted(at, key=lambda i: [(not w.isdigit(), int(w) if w.isdigit() else 0, w) for w in _words(names[i])])


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"(\d+)", name) if word]


def by_likeness(at: Sequence[int], names: Sequence[str], values: np.ndarray) -> Sequence[int]:
    """By average-linkage clustering of the rows of `values`, alike ones side by side [BarJoseph2001].

    Of the two directions, the one that begins with the half of the higher mean; rows of holes come last.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    known = [i for i in at if not np.isnan(values[i]).all()]
    rest = [i for i in at if i not in known]
    if len(known) < 2:
        return [*known, *rest]
    found = [known[i] for i in leaves_list(linkage(distances(values[known]), "average", optimal_ordering=True))]
    half = len(found) // 2
    first, last = (float(np.nanmean(values[part])) for part in (found[:half], found[-half:]))
    return [*(found[::-1] if last > first else found), *rest]


def distances(values: np.ndarray) -> np.ndarray:
    """Root mean square differences of rows over the columns that both have, [n, m] → [n (n − 1)/2] in order."""
    pairs = [(one, other) for i, one in enumerate(values) for other in values[i + 1 :]]
    apart = np.array([np.abs(one - other) for one, other in pairs]).reshape(len(pairs), -1)
    known = ~np.isnan(apart)
    squares = np.where(known, apart, 0.0) ** 2
    return np.where(known.any(axis=1), np.sqrt(squares.sum(axis=1) / np.maximum(known.sum(axis=1), 1)), FAR)


SORTS: dict[str, Sort] = {"name": by_name, "cluster": by_likeness}
ROSTER = "roster"  # as the suite has them


def order(name: str) -> Callable[[Matrix], Matrix]:
    """What puts a matrix in the order of this name. Raises Refused with the nearest name."""
    if name not in (ROSTER, *SORTS):
        raise unknown("order", name, (ROSTER, *SORTS))
    return (lambda matrix: matrix) if name == ROSTER else lambda matrix: reordered(matrix, SORTS[name])


def reordered(matrix: Matrix, sort: Sort) -> Matrix:
    """Rows sorted within their entries and columns within their groups.

    Agents that are rows too come in the rows' order among the columns, so that own pairs stay on the diagonal.
    """
    rows = _within(matrix.row_groups, lambda at: sort(at, matrix.rows, matrix.values))
    places = {matrix.rows[i]: place for place, i in enumerate(rows)}

    def columns(at: Sequence[int]) -> Sequence[int]:
        if all(matrix.columns[i] in places for i in at):
            return sorted(at, key=lambda i: places[matrix.columns[i]])
        return sort(at, matrix.columns, matrix.values.T)

    mine = replace(matrix, rows=tuple(matrix.rows[i] for i in rows), values=matrix.values[rows])
    return mine.taken(_within(matrix.column_groups, columns), matrix.column_groups)


def _within(groups: Iterable[Group], sort: Callable[[Sequence[int]], Sequence[int]]) -> list[int]:
    return [i for group in groups for i in sort(list(range(group.start, group.stop)))]
