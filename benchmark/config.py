"""Configuration as frozen, validated dataclasses: fields are config, TOML table, hash and documentation at once."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform, get_args, get_type_hints

import tomli_w
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.fields import FieldInfo

from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.registry import Registry

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def config(cls: type[T]) -> type[T]:
    """Class decorator: a frozen keyword-only dataclass whose values are validated and whose field names are closed."""
    make: Callable[[type[T]], type[T]] = pydantic_dataclass(frozen=True, kw_only=True, config=STRICT)  # type: ignore[assignment]
    return make(cls)


def build(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """An instance of a `config` class; unknown fields are refused with the nearest name, bad values with the reason."""
    place = f"{where}: " if where else ""
    known = [field.name for field in fields(cls) if field.init]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise Refused(f"{place}{unknown(f'field of {cls.__name__}', name, known)}")
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        raise Refused(f"{place}{'; '.join(_fault(cls, e) for e in error.errors())}") from None


def _fault(cls: type, error: Any) -> str:
    """One of pydantic's complaints in our words."""
    *path, name = error["loc"] or (cls.__name__,)
    if error["type"] == "unexpected_keyword_argument":
        inner: Any = cls
        for part in path:
            inner = get_type_hints(inner).get(part) if is_dataclass(inner) else None
            inner = next((one for one in get_args(inner) if is_dataclass(one)), inner)  # X | None
        if is_dataclass(inner):
            prefix = ".".join(map(str, path))
            return f"{prefix}: {unknown(f'field of {inner.__name__}', name, [f.name for f in fields(inner)])}"  # type: ignore[union-attr]
    return f"{'.'.join(map(str, (*path, name)))}: {error['msg']}, given {error['input']!r}"


def from_table(registry: Registry, table: Mapping[str, Any], where: str = "") -> Any:
    """The registered thing that a table `{kind = "…", field = value, …}` describes."""
    if "kind" not in table:
        raise Refused(
            f"{where or 'table'}: a {registry.noun} needs kind = one of {', '.join(registry)}; given {dict(table)!r}"
        )
    if table["kind"] not in registry:
        refusal = unknown(registry.noun, table["kind"], registry)
        raise Refused(f"{where}: {refusal}" if where else str(refusal))
    return build(registry[table["kind"]], {k: v for k, v in table.items() if k != "kind"}, where)


def from_text(registry: Registry, text: str) -> Any:
    """The registered thing that `kind`, `kind:value` (its first field) or `kind:field=value,field=value` describes."""
    kind, _, rest = text.partition(":")
    cls = registry[kind]
    known = [field.name for field in fields(cls) if field.init]
    values: dict[str, Any] = {}
    for position, part in enumerate(p for p in rest.split(",") if p):
        name, equals, value = part.partition("=")
        if not equals:
            if position >= len(known):
                raise Refused(f"{text}: too many values; {kind} has {len(known)} fields: {', '.join(known) or 'none'}")
            name, value = known[position], part
        values[name] = scalar(value)
    return build(cls, values, text)


def scalar(text: str) -> Any:
    """A TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def to_table(thing: Any) -> dict[str, Any]:
    """A registered thing as the table `from_table` reads; None-valued fields are left out, since TOML has no null.

    Raises ValueError where None is not the field's default: left out, it would be read back as something else.
    """
    for item in fields(type(thing)):
        default = item.default.default if isinstance(item.default, FieldInfo) else item.default
        if getattr(thing, item.name) is None and default is not None:
            raise ValueError(f"{type(thing).__name__}.{item.name} is None, which a table cannot say")
    table = TypeAdapter(type(thing)).dump_python(thing, mode="json", exclude_none=True)
    return {"kind": type(thing).kind, **table} if hasattr(type(thing), "kind") else dict(table)


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: `over` wins, inner tables are merged in turn."""
    result = dict(under)
    for key, value in over.items():
        inner = result.get(key)
        result[key] = merge(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return result


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict. Raises Refused with file, line and column where it is broken or missing."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{path}: no such file") from None
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: not valid TOML: {error}") from None


def write_toml(path: Path, table: Mapping[str, Any]) -> None:
    """Writes a table as TOML so that a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(tomli_w.dumps(dict(table)), encoding="utf-8")
    draft.replace(path)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text on every machine."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(data: bytes | str) -> str:
    """Hexadecimal SHA-256 of bytes or of UTF-8 text."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def digest(thing: Any) -> str:
    """SHA-256 over a registered thing's kind and field values."""
    return sha256(canonical(to_table(thing)))
