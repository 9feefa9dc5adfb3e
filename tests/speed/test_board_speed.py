"""How fast a board comes from its store: `pytest tests/speed/test_board_speed.py --benchmark-enable`."""

from tests.speed.board import fill, plan, seconds


def test_a_small_league(benchmark, tmp_path):
    """One round is the boards of 4 entries × 10 partners × 2 layouts, and the one over both."""
    out = tmp_path / "league"
    assert fill(out, plan(entries=4, seeds=1, partners=10, games=2)) == 2 * (4 * 10 * 2 + 4 + 4 * 3 * 2)
    benchmark.pedantic(lambda: seconds(out), rounds=3, warmup_rounds=1)
