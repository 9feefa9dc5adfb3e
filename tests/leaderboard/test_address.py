"""Addresses of stores: the driver is chosen, what cannot be read is refused, and no password is ever shown."""

import sys

import pytest

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard import address as addresses
from crossplay.leaderboard.address import address, shown
from crossplay.leaderboard.store import ResultStore


@pytest.mark.parametrize(
    ("there", "driver"),
    [(["psycopg"], "psycopg"), (["psycopg2"], "psycopg2"), (["psycopg", "psycopg2"], "psycopg"), ([], "psycopg")],
)
@pytest.mark.parametrize("kind", ["postgresql", "postgres"])
def test_postgresql_is_spoken_to_by_what_is_installed(monkeypatch, kind, there, driver):
    monkeypatch.setattr(addresses, "find_spec", lambda name: name in there)
    assert address(f"{kind}://me@host/results").drivername == f"postgresql+{driver}"


def test_a_driver_that_is_named_is_kept():
    assert address("postgresql+pg8000://me@host/results").drivername == "postgresql+pg8000"


@pytest.mark.parametrize("kind", ["postgresql", "postgresql+psycopg"])
def test_a_missing_driver_is_refused_with_what_to_install(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused, match=r"not installed.*pip install 'crossplay\[postgres\]'") as refused:
        ResultStore(f"{kind}://me:secret@host/results")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["me:s@cret@host/db", "me:x@host:secret/db", "me@host/db?password=secret"])
def test_a_password_in_the_wrong_place_is_not_shown(text):
    place = f"postgresql://{text}"
    assert "cret" not in shown(place)
    if "?" not in text:
        with pytest.raises(Refused, match="%40") as refused:
            ResultStore(place)
        assert "cret" not in str(refused.value)


def test_passwords_are_starred():
    assert shown("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
