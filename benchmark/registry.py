"""Names for the things of one kind: games, policies, trainers, generators, metrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from crossplay.benchmark.errors import unknown

T = TypeVar("T")


class Registry(Mapping[str, type]):
    """A mapping from name to registered class; a look-up that fails names the nearest match."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._classes: dict[str, type] = {}

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator: files the class under `name` and lets it know its name as `kind`."""

        def file(cls: type[T]) -> type[T]:
            if name in self._classes:
                raise ValueError(f"{self.noun} {name!r} is registered twice")
            self._classes[name] = cls
            cls.kind = name  # type: ignore[attr-defined]
            return cls

        return file

    def __getitem__(self, name: str) -> type:
        if name not in self._classes:
            raise unknown(self.noun, name, self._classes)
        return self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        return len(self._classes)

    @property
    def modules(self) -> set[str]:
        """Where the registered classes are defined: what a fresh process has to import to know the same names."""
        return {cls.__module__ for cls in self._classes.values()} - {"__main__"}


GAMES = Registry("game")
POLICIES = Registry("policy")
