"""Names: registered once, looked up exactly, refused with the nearest match."""

import pytest

from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.registry import Registry


@pytest.fixture
def animals():
    registry = Registry("animal")
    for name in ("zebra", "ant", "lion"):
        registry.register(name)(type(name, (), {}))
    return registry


def test_a_class_learns_its_name_and_is_found_by_it(animals):
    assert animals["lion"].kind == "lion"
    assert animals["lion"].__name__ == "lion"


def test_it_is_a_mapping_in_alphabetical_order(animals):
    assert list(animals) == ["ant", "lion", "zebra"]
    assert len(animals) == 3
    assert "ant" in animals
    assert "bee" not in animals


def test_register_returns_the_class_itself():
    class Bee: ...

    assert Registry("animal").register("bee")(Bee) is Bee


def test_an_unknown_name_is_refused_with_the_nearest(animals):
    with pytest.raises(Refused, match=r"^unknown animal 'lyon'; did you mean 'lion'\?$"):
        animals["lyon"]


def test_a_name_near_nothing_gets_the_list(animals):
    with pytest.raises(Refused, match=r"^unknown animal 'hippopotamus'; known: ant, lion, zebra$"):
        animals["hippopotamus"]


def test_an_empty_registry_says_so():
    assert str(unknown("animal", "ant", [])) == "unknown animal 'ant'; known: none"


def test_the_same_name_twice_is_a_fault_of_the_code(animals):
    with pytest.raises(ValueError, match="animal 'ant' is registered twice"):
        animals.register("ant")(type("Ant", (), {}))
