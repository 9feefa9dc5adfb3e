"""Configurations: closed field names, validated values, TOML both ways, digests of content."""

import hashlib
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from crossplay.benchmark.config import (
    build,
    canonical,
    config,
    digest,
    from_table,
    from_text,
    read_toml,
    sha256,
    to_table,
    write_toml,
)
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.registry import Registry

TOOLS = Registry("tool")


@TOOLS.register("saw")
@config
class Saw:
    """A tool with every sort of field."""

    teeth: int = 24
    length: float = 0.5
    maker: str = "acme"
    sharp: bool = True
    sizes: tuple[int, ...] = ()
    owner: str | None = None


def test_the_table_of_a_thing_leaves_out_what_is_none():
    assert to_table(Saw(teeth=3, sizes=(1, 2))) == {
        "kind": "saw",
        "teeth": 3,
        "length": 0.5,
        "maker": "acme",
        "sharp": True,
        "sizes": [1, 2],
    }


saws = st.builds(
    Saw,
    teeth=st.integers(-(2**60), 2**60),
    length=st.floats(allow_nan=False, allow_infinity=False),
    maker=st.text(),
    sharp=st.booleans(),
    sizes=st.lists(st.integers(-(2**60), 2**60)).map(tuple),
    owner=st.none() | st.text(),
)


@settings(deadline=None)
@given(saws)
def test_a_table_gives_the_thing_back(saw):
    assert from_table(TOOLS, to_table(saw)) == saw


@settings(deadline=None)
@given(saws)
def test_a_file_gives_the_thing_back(tmp_path_factory, saw):
    path = tmp_path_factory.mktemp("toml") / "saw.toml"
    write_toml(path, to_table(saw))
    assert from_table(TOOLS, read_toml(path)) == saw


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        ("saw", Saw()),
        ("saw:7", Saw(teeth=7)),
        ("saw:7,0.25", Saw(teeth=7, length=0.25)),
        ("saw:sharp=false,maker=me", Saw(sharp=False, maker="me")),
        ("saw:8,maker=2nd hand", Saw(teeth=8, maker="2nd hand")),
    ],
)
def test_a_thing_can_be_written_in_a_line(text, saw):
    assert from_text(TOOLS, text) == saw


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "sew"}, "unknown tool 'sew'; did you mean 'saw'\\?"),
        ({"teeth": 3}, "a tool needs kind = one of saw"),
        ({"kind": "saw", "tooth": 3}, "unknown field of Saw 'tooth'; did you mean 'teeth'\\?"),
        ({"kind": "saw", "teeth": 2.5}, "teeth: .*given 2.5"),
        ({"kind": "saw", "length": float("nan")}, "length: .*given nan"),
        ({"kind": "saw", "teeth": "many", "sharp": "perhaps"}, "teeth: .*given 'many'; sharp: .*given 'perhaps'"),
    ],
)
def test_a_bad_table_is_refused(table, message):
    with pytest.raises(Refused, match=message):
        from_table(TOOLS, table)


def test_a_refusal_names_the_place():
    with pytest.raises(Refused, match=r"^suite\.toml, entry 3: unknown field"):
        build(Saw, {"tooth": 3}, "suite.toml, entry 3")


@pytest.mark.parametrize("text", ["sow", "saw:teth=3", "saw:1,2,x,true,[],a,b"])
def test_a_bad_line_is_refused(text):
    with pytest.raises(Refused):
        from_text(TOOLS, text)


def test_a_thing_is_frozen_and_hashable():
    saw = Saw()
    with pytest.raises(FrozenInstanceError):
        saw.teeth = 3
    assert len({Saw(), Saw(teeth=24), Saw(teeth=25)}) == 2


def test_broken_toml_carries_file_line_and_column(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text('name = "a"\nseed = = 3\n')
    with pytest.raises(Refused, match=r"broken\.toml: not valid TOML: .*line 2, column 8"):
        read_toml(path)


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match=r"bytes\.toml: not valid TOML"):
        read_toml(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"none\.toml: no such file"):
        read_toml(tmp_path / "none.toml")


def test_write_toml_leaves_nothing_but_the_file(tmp_path):
    write_toml(tmp_path / "deep" / "a.toml", {"x": 1})
    write_toml(tmp_path / "deep" / "a.toml", {"x": 2})
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.toml"]
    assert read_toml(tmp_path / "deep" / "a.toml") == {"x": 2}


def test_canonical_text_and_digest_are_of_content_alone():
    assert canonical({"b": [1, 0.5], "a": None}) == '{"a":null,"b":[1,0.5]}'
    assert sha256("abc") == sha256(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest(Saw()) == digest(Saw(teeth=24)) != digest(Saw(teeth=25))
    text = '{"kind":"saw","length":0.5,"maker":"acme","sharp":true,"sizes":[],"teeth":24}'
    assert digest(Saw()) == hashlib.sha256(text.encode()).hexdigest()


def test_canonical_refuses_what_json_cannot_say():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("inf"))


def test_a_none_that_would_be_read_back_as_something_else_is_an_error():
    @config
    class Loose:
        plain: int | None = None
        named: int | None = Field(default=None, ge=0)
        other: int | None = 3

    assert to_table(Loose()) == {"other": 3}
    with pytest.raises(ValueError, match=r"Loose\.other is None"):
        to_table(Loose(other=None))
