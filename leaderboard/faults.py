"""What databases complain of, in words that say what to do."""

import sqlite3

LOCKED = "another process has kept it locked for {patience:g} s; try again when that is done"
GONE = "the connection to the server was lost; what was added before is stored, so try again when the server is back"
SQLITE = {
    "file is not a database": "not a SQLite database, so not a store",
    "malformed": "truncated or damaged; restore it from a copy, or delete it and play again",
    "locked": LOCKED,
    "readonly": "cannot be written: the file or its folder is read-only; copy it to a folder you can write to",
    "unable to open": "cannot be opened: is its folder there, and writable? SQLite keeps its journal beside it",
    "full": "the disk is full",
}
STATES = {  # the beginning of PostgreSQL's SQLSTATE, the longest first
    "55P03": LOCKED,
    "57P03": "the server is starting or stopping; try again in a moment",
    "53100": "the server's disk is full",
    "53300": "the server takes no more connections; try again when others are done",
    "42501": "this user may not do that here; ask the database's owner for the right to create and write tables",
    "25006": "cannot be written: the server, or this user, may only read",
    "22001": "a name is longer than the store has room for",
    "22P05": "the database's encoding has no such character; wanted a database with encoding UTF8",
    "3F000": "no such schema: create it, or mend search_path",
    "3D000": "no such database: create it first, with createdb",
    "57P": GONE,
    "57014": "the server cancelled the statement, as somebody asked or as its time limit says",
    "08": GONE,
    "28": "the server does not let this user in; are name and password right?",
}
POSTGRES = {  # of connections that never came about, which have no SQLSTATE
    "authentication failed": STATES["28"],
    "no password supplied": "the server wants a password; write it in the URL, or in the file ~/.pgpass",
    "no pg_hba.conf entry": "the server does not let this user in from here; see its pg_hba.conf",
    "database": STATES["3D000"],
    "role": STATES["28"],
    "starting up": STATES["57P03"],
    "shutting down": STATES["57P03"],
    "too many clients": STATES["53300"],
    "connection slots": STATES["53300"],
    "invalid connection option": "the URL has an option that the driver does not know",
    "Connection refused": "no server answers there; is it running, and are host and port right?",
    "No such file": "no server answers there; is it running, and is its socket in that folder?",
    "resolve": "no such host; is its name right?",
    "translate host name": "no such host; is its name right?",
    "timeout": "the server has not answered in time; is it running, and are host and port right?",
    "closed": GONE,
    "could not receive data": GONE,
}


def in_words(error: BaseException | None, patience: float) -> str:
    """A driver's complaint, with what to do about it where that is known."""
    fault = " ".join(str(error).split())
    words = _of_sqlite(fault) if isinstance(error, sqlite3.Error) else _of_postgres(error, fault)
    return f"{words.format(patience=patience)} ({fault})" if words else fault


def _of_sqlite(fault: str) -> str | None:
    return next((words for sign, words in SQLITE.items() if sign in fault), None)


def _of_postgres(error: BaseException | None, fault: str) -> str | None:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    by_state = next((words for sign, words in STATES.items() if state.startswith(sign)), None)
    return by_state or next((words for sign, words in POSTGRES.items() if not state and sign in fault), None)
