"""How fast pairs are played: `pytest tests/speed/test_crossplay_speed.py --benchmark-enable`."""

from crossplay.benchmark.crossplay import play_fixtures
from tests.speed.crossplay import load


def test_a_batch_of_pairs(benchmark, tmp_path):
    """One round is 4 matches of 64 episodes in one process, every step of both networks included."""
    fixtures = load(tmp_path, egos=1, partners=2)
    results = benchmark.pedantic(lambda: list(play_fixtures(fixtures)), rounds=3, warmup_rounds=1)
    assert len(results) == 4
