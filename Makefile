# `make run` and `make test` do all set-up themselves. Set PYTHON to choose the interpreter, VENV the environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check lint types wheel speed proofs clean

run: $(READY)
	$(BIN)/crossplay run quick

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

check: lint types test wheel

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# mypy cannot follow the editable install's finder, so it reads the same folders under their installed names
types: $(READY)
	mkdir -p .types/crossplay
	for part in benchmark agents populations leaderboard; do ln -sfn ../../$$part .types/crossplay/$$part; done
	MYPYPATH=.types $(BIN)/mypy -p crossplay

# the wheel, installed where no checkout is near, has to do a real piece of work
wheel: $(READY)
	bash tests/wheel.sh $(abspath $(BIN))

# ratios to peers, measured in one run; not a test, since machines differ
speed: $(READY)
	$(BIN)/python -m tests.speed.report

# the long forms of what the tests prove on a sample
proofs: $(READY)
	CROSSPLAY_PROOF=full $(BIN)/python -m pytest tests/benchmark/overcooked -s

clean:
	rm -rf $(VENV) .types build dist *.egg-info

# torch comes first and pinned: a range would pull the newest CUDA builds, gigabytes of them
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(READY)
