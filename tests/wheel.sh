#!/usr/bin/env bash
# Builds the wheel and uses it away from the checkout. $1: the environment's bin folder, for the build and the packages.
set -euo pipefail
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/python" -m build --wheel --no-isolation --outdir "$work/dist" . >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
rm -rf build
"$bin/python" -m venv "$work/venv"
# the wheel alone is new; its dependencies are the tested environment's
"$bin/python" -c 'import site; print(site.getsitepackages()[0])' >"$work/packages"
site=$("$work/venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
"$work/venv/bin/python" -m pip install --quiet --no-deps "$work"/dist/*.whl
cp "$work/packages" "$site/tested.pth"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import crossplay.leaderboard.cli as cli
assert "/venv/" in cli.__file__ and ".venv" not in cli.__file__.replace("/venv/", "/"), cli.__file__
from crossplay.leaderboard.report import pages
assert pages.Environment(loader=pages.PackageLoader("crossplay.leaderboard.report")).get_template("index.html")
PY
"$work/venv/bin/crossplay" play overcooked:cramped_room overcooked-greedy uniform --episodes 4
"$work/venv/bin/crossplay" list suites
echo "wheel: fine"
