"""The command line. Heavy imports wait inside the commands, so that --help answers at once."""

import sys
from typing import Any, NoReturn

import typer

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.workers import one_thread
from crossplay.leaderboard.cli import agents, boards, looks  # noqa: F401  registers the commands
from crossplay.leaderboard.cli.app import app

__all__ = ["app", "main"]


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line. Exit codes: 0 fine, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    one_thread()
    try:
        result: Any = app(args=arguments, standalone_mode=False, prog_name="crossplay")
        sys.exit(result if isinstance(result, int) else 0)
    except Refused as refused:
        code, message = 1, f"refused: {refused}"
    except (typer.Abort, KeyboardInterrupt):
        code, message = 130, "stopped; run the same command again to go on"
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own: wrong usage
            error.show()
            sys.exit(error.exit_code)
        raise
    print(message, file=sys.stderr)
    sys.exit(code)
