"""The command line. Heavy imports wait inside the commands, so that --help answers at once."""

import sys
from typing import Any, NoReturn

import typer

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.workers import one_thread
from crossplay.leaderboard.cli import (  # noqa: F401  registers the commands
    agents,
    boards,
    figures,
    llms,
    looks,
    populations,
    stores,
    submissions,
)
from crossplay.leaderboard.cli.app import app

__all__ = ["app", "main"]
INTERRUPTED = 130  # as shells count: 128 + SIGINT


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line. Exit codes: 0 fine, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    one_thread()
    message = ""
    try:
        result: Any = app(args=arguments, standalone_mode=False, prog_name="crossplay")
        code = result if isinstance(result, int) else 0
    except Refused as refused:
        code, message = 1, f"refused: {refused}"
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:
        if not (hasattr(error, "show") and hasattr(error, "exit_code")):
            raise
        error.show()  # click's own: wrong usage
        code = error.exit_code
    if code == INTERRUPTED:
        message = "stopped; run the same command again to go on"
    if message:
        print(message, file=sys.stderr)
    sys.exit(code)
