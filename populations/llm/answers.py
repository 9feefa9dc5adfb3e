"""Reading a model's answer strictly: one option's number and nothing that could be another."""

import json
import re

REPAIR = "That is not one of the options. Reply with one option number from 1 to {count} and nothing else."
_NUMBER = re.compile(r"(?:option\s*)?(\d{1,3})\s*[.):]?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


def option(text: str, options: tuple[str, ...]) -> int | None:
    """The index from 0 that an answer names, or None.

    Taken are "3", "3.", "Option 3", "3. get dish" with the option's very name, the name alone, and {"option": 3}.
    Anything else, a second number included, is no answer: guessing what a model may have meant is not ours.
    """
    text = text.strip()
    if text.startswith("{"):
        return _in_json(text, len(options))
    lowered = [name.lower() for name in options]
    if text.lower() in lowered:
        return lowered.index(text.lower())
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    index, name = int(found[1]) - 1, (found[2] or "").strip().lower()
    if not 0 <= index < len(options) or name not in ("", lowered[index]):
        return None
    return index


def _in_json(text: str, count: int) -> int | None:
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return None
    number = table.get("option") if isinstance(table, dict) and len(table) == 1 else None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= count:
        return None
    return number - 1
