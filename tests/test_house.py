"""The house itself: imports run one way, files and functions stay small, sources resolve, the README is true."""

import ast
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("benchmark", "agents", "populations", "leaderboard")
CODE = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", CODE, ids=name)
def test_imports_run_one_way(path):
    own = LAYERS.index(path.relative_to(ROOT).parts[0])
    for imported in imports(path):
        assert not imported.startswith("."), f"{name(path)} imports {imported}: imports are absolute"
        parts = imported.split(".")
        assert parts[0] not in LAYERS, f"{name(path)} imports bare {imported}: use crossplay.{imported}"
        if parts[0] == "crossplay" and len(parts) > 1:
            assert LAYERS.index(parts[1]) <= own, f"{name(path)} imports {imported}, which lies above it"


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_tests_import_the_installed_package(path):
    assert not [i for i in imports(path) if i.split(".")[0] in LAYERS]


@pytest.mark.parametrize("path", CODE, ids=name)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 250, f"{name(path)} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 40, f"{name(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", CODE, ids=name)
def test_every_module_and_public_thing_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{name(path)} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name(path)}:{node.lineno} {node.name} has no docstring"


def test_citation_keys_resolve():
    known = set(re.findall(r"^- \[(\w+\d{4}\w?)\]", (ROOT / "docs/references.md").read_text(), re.M))
    for path in [*CODE, *sorted((ROOT / "docs").glob("*.md"))]:
        cited = set(re.findall(r"\[([A-Z]\w+?\d{4})\]", path.read_text()))
        assert cited <= known, f"{name(path)} cites {sorted(cited - known)}, not in docs/references.md"


def test_packages_are_all_declared():
    import tomllib

    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {f"crossplay.{name(path.parent).replace('/', '.')}" for path in CODE}
    assert declared == found


@pytest.mark.parametrize("module", ["torch", "numba", "matplotlib", "sqlalchemy", "pandas"])
def test_help_loads_nothing_heavy(module):
    code = f"import sys, crossplay.leaderboard.cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _spent_by_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_help_answers_within_a_second():
    """Of a processor's time, so that other tests on the same machine do not count."""
    best = float("inf")
    for _ in range(3):
        began = _spent_by_children()
        subprocess.run([sys.executable, "-m", "crossplay.leaderboard.cli", "--help"], check=True, capture_output=True)
        best = min(best, _spent_by_children() - began)
    assert best <= 1.0


def commands(path: Path) -> list[str]:
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", path.read_text(), re.S)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("crossplay ")]


def test_readme_commands_exist_with_their_options():
    import typer

    from crossplay.leaderboard.cli import app

    root = typer.main.get_command(app)
    lines = commands(ROOT / "README.md")
    assert len(lines) >= 6
    for line in lines:
        words = line.split("#")[0].split()[1:]
        command = root
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, f"README: {line!r}: no command {words[0]!r}"
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for word in words:
            assert not word.startswith("--") or word in options, f"README: {line!r}: no option {word!r}"


def test_makefile_has_what_the_readme_tells_people_to_make():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    told = set(re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text()))
    assert {"run", "test"} <= told <= targets
