"""Where a store is: a path or a database URL, as messages may show it, and the driver it needs."""

from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError

from crossplay.benchmark.errors import Refused

POSTGRES = ("postgresql", "postgres")  # as its own tools accept it
ENCODED = "write what is special in a name or password of a URL as %XX: @ is %40, / is %2F, : is %3A, % is %25"


def is_url(place: str | Path) -> bool:
    """Whether a place is a database URL, rather than a path."""
    return isinstance(place, str) and "://" in place


def address(place: str | Path) -> sql.URL:
    """The URL of a store, with the driver to use. Raises Refused, without the password, where it cannot be read."""
    if not is_url(place):
        return sql.URL.create("sqlite", database=str(place))
    try:
        url = sql.make_url(str(place))
    except (ArgumentError, ValueError):
        raise Refused(
            f"the given database URL cannot be read, wanted KIND://USER:PASSWORD@HOST/NAME; {ENCODED}"
        ) from None
    if "@" in (url.host or ""):  # the end of a password, so not to be shown
        raise Refused(f"the given database URL has more than one @; {ENCODED}")
    return _driven(url) if url.drivername in POSTGRES else url


def _driven(url: sql.URL) -> sql.URL:
    """PostgreSQL by psycopg 3, which older SQLAlchemy does not choose itself; by psycopg2 where only that is."""
    names = [name for name in ("psycopg", "psycopg2") if find_spec(name)]
    return url.set(drivername=f"postgresql+{(names or ['psycopg'])[0]}")


def shown(place: str | Path) -> str:
    """A path or URL as messages may show it: without its password."""
    if not is_url(place):
        return str(place)
    try:
        url = sql.make_url(str(place))
    except (ArgumentError, ValueError):
        return "the given URL"
    if "@" in (url.host or ""):
        return "the given URL"
    secret = [name for name in url.query if "password" in name]
    return url.update_query_dict(dict.fromkeys(secret, "***")).render_as_string(hide_password=True)
