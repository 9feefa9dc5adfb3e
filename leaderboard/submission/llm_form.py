"""The form `llm`: an agent that is a language model and what it is told; a source is a TOML file with its settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossplay.benchmark.config import build, digest, read_toml, to_table
from crossplay.benchmark.errors import Refused
from crossplay.populations.llm.cooks import family
from crossplay.populations.llm.hf_backend import FIXTURE
from crossplay.populations.llm.live import LLM

SOURCE = {
    "persona": "You help your partner: do what is needed most and what your partner is not doing.",
    "backend": {"model": "put the model's id here", "key_env": "OPENAI_API_KEY"},
}  # no base_url: OPENAI_BASE_URL says where it is asked, so that the row does not depend on it


def maker(folder: Path, source: str, name: str) -> dict[str, Any]:
    """The maker's table, with a tape beside the agent's files that is no part of them.

    Raises Refused for unknown settings, for a tape or a folder outside the agent's own, and for a fixture.
    """
    path = folder / source
    table: Mapping[str, Any] = read_toml(path)
    if "tape" in table or ".." in Path(source).parts:
        raise Refused(f"{path}: a tape is kept for it; `tape` cannot be given, nor a source outside the agent's folder")
    found: LLM = build(LLM, table, str(path))
    if family(found) == FIXTURE:
        raise Refused(f"{path}: {FIXTURE} is a fixture, and no agent for a board")
    return {**to_table(found), "tape": f".{name}-{digest(found)[:8]}.tape.jsonl"}
