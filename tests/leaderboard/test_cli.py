"""The command line: every command says how it is used, does what it says, and refuses in words with the right code."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import typer

from crossplay.leaderboard.cli import app, main
from tests.leaderboard.shelf import shelf


def commands(command=None, path=()):
    command = command or typer.main.get_command(app)
    for name, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from commands(inner, (*path, name))
        else:
            yield (*path, name)


def run(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    shown = capsys.readouterr()
    return stop.value.code, shown.out, shown.err


def test_the_commands_are_the_promised_ones():
    boards = ["run", "board", "heatmap", "meet", "sweep", "curves", "plot", "export", "report", "compare", "diff"]
    agents = ["train", "populate", "check", "play"]
    submitted = ["init", "graph", "pack", "submit", "accept", "withdraw"]
    promised = [*boards, "rankings", "debate", *agents, *submitted, "list", "doctor", "rqe"]
    of_populations = ["show", "verify", "seal", "reveal", "bounds", "diversity", "thin", "parcel"]
    folded = [
        *(("population", name) for name in of_populations),
        ("store", "merge"),
        *(("llm", n) for n in ("record", "tiny")),
    ]
    folded += [("llm", "tape", name) for name in ("stats", "verify", "replay", "freeze")]
    assert {*((name,) for name in promised), *folded} == set(commands())


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_shows_an_example(capsys, path):
    code, out, _ = run(capsys, *path, "--help")
    assert code == 0
    assert f"Example: crossplay {' '.join(path)}" in out


@pytest.mark.parametrize("what", ["games", "generators", "trainers", "policies", "metrics", "suites", "layouts"])
def test_lists_are_not_empty(capsys, what):
    code, out, _ = run(capsys, "list", what)
    assert code == 0
    known = {
        "games": "overcooked",
        "generators": "fcp",
        "trainers": "best_response",
        "policies": "overcooked-greedy",
        "metrics": "cvar20",
        "suites": "quick",
        "layouts": "counter_circuit_o_1order",
    }
    assert known[what] in out


def test_doctor_names_versions_and_devices(capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    for word in ("torch", "numba cache", "harness", "CUDA devices"):
        assert word in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "quik"], "unknown suite 'quik'; did you mean 'quick'?"),
        (["run", "nosuch.toml"], "nosuch.toml: no such file"),
        (["run", "quick", "--jobs", "0", "--out", "out"], "jobs must be at least 1; given 0"),
        (["run", "quick", "--device", "cuda:99", "--out", "out"], "sees no CUDA device"),
        (["list", "gmes"], "did you mean 'games'?"),
        (["play", "overcooked:cramped_roon", "uniform", "uniform"], "did you mean 'cramped_room'?"),
        (["play", "overcokd", "uniform", "uniform"], "did you mean 'overcooked'?"),
        (["play", "collab-grid:horizn=3", "uniform", "uniform"], "did you mean 'horizon'?"),
        (["play", "collab-grid", "unifrm", "uniform"], "did you mean 'uniform'?"),
        (["play", "collab-grid", "uniform", "uniform", "--seat", "2"], "seats 0 to 1; given 2"),
        (["play", "collab-grid", "agents/nosuch", "uniform"], "no folder with a card.toml"),
        (["train", "ipo", "collab-grid", "--out", "x"], "did you mean 'ippo'?"),
        (["train", "ippo", "collab-grid", "--out", "x", "--set", "budget.stps=1"], "did you mean 'steps'?"),
        (["train", "ippo", "collab-grid", "--out", "x", "--set", "budget"], "wanted field=value"),
        (["populate", "fpc", "collab-grid", "--out", "x"], "did you mean 'fcp'?"),
        (["board", "nosuch"], "suite.toml: no such file"),
        (["heatmap", "nosuch"], "suite.toml: no such file"),
        (["heatmap", "nosuch", "--of", "free_ridin"], "unknown measure 'free_ridin'; did you mean 'free_riding'?"),
        (["heatmap", "nosuch", "--only", "bord"], "unknown part of the heatmap 'bord'; did you mean 'board'?"),
        (["heatmap", "nosuch", "--order", "nam"], "unknown order 'nam'; did you mean 'name'?"),
        (["heatmap", "nosuch", "--format", "pgf"], "unknown picture format 'pgf'; did you mean 'png'?"),
        (["meet", "nosuch"], "suite.toml: no such file"),
        (["meet", "nosuch", "--of", "retrun"], "unknown measure 'retrun'; did you mean 'return'?"),
        (["meet", "nosuch", "--format", "jsn"], "unknown format 'jsn'; did you mean 'json'?"),
        (["rankings", "nosuch"], "suite.toml: no such file"),
        (["rankings", "nosuch", "--format", "jsn"], "unknown format 'jsn'; did you mean 'json'?"),
        (["sweep", "nosuch", "--over", "risk.tau"], "suite.toml: no such file"),
        (["curves", "nosuch"], "suite.toml: no such file"),
        (["sweep", "nosuch", "--over", "risk.tau", "--metric", "men"], "unknown metric 'men'; did you mean 'mean'?"),
        (["sweep", "nosuch", "--over", "risk.tau", "--metric", "mean,mean"], "must be different names"),
        (["plot", "famlies", "nosuch", "--out", "x.png"], "unknown kind of plot 'famlies'; did you mean 'families'?"),
        (["plot", "profile", "nosuch", "--out", "x.pfd"], "unknown picture format 'pfd'; did you mean 'pdf'?"),
        (["plot", "profile", "nosuch", "--out", "x.pdf"], "suite.toml: no such file"),
        (["export", "nosuch", "x.csv"], "no matches.sqlite here"),
        (["population", "verify", "nosuch"], "no such file"),
        (["train", "ippo", "collab-grid", "--out", "my%agent"], "'my%agent' cannot be a card's name"),
        (["train", "ippo", "collab-grid", "--out", "/dev/null/ann"], "cannot write card 'ann' to /dev/null/ann"),
        (["board", "/dev/null"], "/dev/null/suite.toml: cannot be read: Not a directory"),
        (["play", "collab-grid", "uniform:1", "uniform"], "too many values; uniform has 0 fields"),
        (["rqe", "volunter"], "did you mean 'volunteer'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals_say_what_was_wrong_and_end_with_1(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert err.startswith("refused: ")
    assert said in err


@pytest.mark.parametrize("words", [["nosuch"], ["run", "--nosuch"], ["run", "--jobs", "x"], ["play", "collab-grid"]])
def test_wrong_usage_ends_with_2(capsys, words):
    assert run(capsys, *words)[0] == 2


def test_train_check_play_populate(capsys, tmp_path):
    small = ["--set", "budget.steps=1600", "--set", "budget.games=8"]
    out = tmp_path / "ann"
    assert run(capsys, "train", "ippo", "collab-grid", "--out", out, *small)[0] == 0
    code, said, _ = run(capsys, "check", out, "collab-grid")
    assert (code, "plays collab-grid in every seat" in said) == (0, True)
    code, said, _ = run(capsys, "play", "collab-grid", out, "collab-grid-worker", "--episodes", 5, "--seat", 1)
    assert code == 0
    assert "ann in seat 1 with collab-grid-worker: 5 episodes" in said
    code, said, _ = run(capsys, "check", out, "matrix")
    assert (code, "was made for collab-grid-v1" in said) == (1, True)
    partner = ["--partner", out, "--set", "budget.steps=800", "--set", "budget.games=8"]
    assert run(capsys, "train", "best_response", "collab-grid", "--out", tmp_path / "bob", *partner)[0] == 0
    folder = tmp_path / "partners"
    deep = [word.replace("budget", "trainer.budget") for word in small]
    assert run(capsys, "populate", "self_play", "collab-grid", "--out", folder, "--set", "seeds=2", *deep)[0] == 0
    assert sorted(os.listdir(folder)) == ["sp-0", "sp-1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of constant agents in two matrix games."""
    record = {"trainer": {"kind": "srpo", "risk": {"tau": 10.0}}, "samples_per_hero": 2000}
    return shelf(tmp_path_factory.mktemp("cli") / "shelf", {"taus": record}, mixed=[0, 1, 0], taus=[1, 1])


def test_heatmap_and_meet_say_what_a_folder_holds(capsys, folder, tmp_path):
    out = tmp_path / "figures"
    code, said, _ = run(capsys, "heatmap", folder, "--of", "free_riding", "--only", "board", "--out", out)
    assert (code, said.count("wrote ")) == (0, 6)
    header, _, _, first, *_ = (out / "heatmap-free_riding-board-matrix-volunteer-v1.csv").read_text().splitlines()
    assert header == "entry,ego,mixed-0,mixed-1,mixed-2,taus-0,taus-1"
    assert first.startswith("mixed,mixed-0,0.0,")
    assert run(capsys, "heatmap", folder, "--out", out)[0] == 0
    assert (out / "heatmap-matrix-stag_hunt-v1.png").is_file()
    one = ["--order", "cluster", "--format", "pdf", "--game", "stag_hunt"]
    assert run(capsys, "heatmap", folder, *one, "--out", out)[1].count("wrote ") == 2
    assert (out / "heatmap-cluster-matrix-stag_hunt-v1.pdf").is_file()
    code, _, err = run(capsys, "heatmap", folder, "--normalised", "--out", out)
    assert (code, "matrix/volunteer-v1: no bounds to normalise by" in err) == (1, True)
    code, said, _ = run(capsys, "meet", folder)
    assert code == 0
    for word in ("matrix/volunteer-v1", "own pair", "with mixed", "with taus"):
        assert word in said
    code, said, _ = run(capsys, "meet", folder, "--format", "json", "--of", "free_riding")
    assert [game["of"] for game in json.loads(said)] == ["free_riding"] * 2
    assert run(capsys, "meet", folder, "--format", "markdown")[1].startswith("## matrix/volunteer-v1")


def test_sweep_draws_what_a_folder_holds(capsys, folder, tmp_path):
    out = tmp_path / "figures" / "sweep.png"
    code, said, _ = run(capsys, "sweep", folder, "--over", "risk.tau", "--out", out)
    assert code == 0
    for suffix in (".png", ".svg", ".csv"):
        assert f"wrote {out.with_suffix(suffix)}" in said
        assert out.with_suffix(suffix).stat().st_size > 100
    lines = list(csv.DictReader(out.with_suffix(".csv").read_text().splitlines()))
    assert {(line["game"], line["metric"], line["entry"], line["at"]) for line in lines} == {
        (f"matrix/{game}-v1", metric, entry, at)
        for game in ("volunteer", "stag_hunt")
        for metric in ("mean", "self_play", "free_riding", "cross_play")
        for entry, at in (("mixed", ""), ("taus", "10.0"))
    }
    assert run(capsys, "sweep", folder, "--over", "risk.tau", "--entries", "taus", "--out", out)[0] == 0
    assert {line["entry"] for line in csv.DictReader(out.with_suffix(".csv").read_text().splitlines())} == {"taus"}
    code, _, err = run(capsys, "sweep", folder, "--over", "risk.tau", "--entries", "tau", "--out", out)
    assert (code, "unknown entry 'tau'; did you mean 'taus'?" in err) == (1, True)
    code, _, err = run(capsys, "sweep", folder, "--over", "risk.tua", "--out", out)
    assert (code, "unknown setting of the trainers 'risk.tua'; did you mean 'risk.tau'?" in err) == (1, True)
    assert "samples a hero 2000: taus." in run(capsys, "board", folder)[1]


def test_plot_draws_what_a_folder_holds_and_says_what_it_shows(capsys, folder, tmp_path):
    out = tmp_path / "figures" / "families.svg"
    code, said, _ = run(capsys, "plot", "families", folder, "--out", out, "--game", "volunteer", "--entries", "taus")
    assert code == 0
    assert "matrix/volunteer-v1: no bounds were measured, so returns are shown" in said
    assert [f"wrote {out.with_suffix(suffix)}" in said for suffix in (".svg", ".csv", ".png")] == [True, True, False]


def test_an_altered_agent_is_refused_by_name(capsys, tmp_path):
    out = tmp_path / "ann"
    run(capsys, "train", "ippo", "collab-grid", "--out", out, "--set", "budget.steps=100", "--set", "budget.games=1")
    weights = out / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    code, _, err = run(capsys, "play", "collab-grid", out, "uniform")
    assert code == 1
    assert "weights.safetensors was altered" in err


def test_an_interrupted_command_says_how_to_go_on(tmp_path):
    words = ["train", "ippo", "collab-grid", "--out", str(tmp_path / "ann"), "--set", "budget.steps=100000000"]
    command = [sys.executable, "-m", "crossplay.leaderboard.cli", *words]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells take it from background jobs
    )
    end = time.monotonic() + 300  # a busy machine may take its time
    try:
        while not list(tmp_path.rglob("*.training")):  # its first checkpoint comes after some seconds
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.strip() == "stopped; run the same command again to go on"
