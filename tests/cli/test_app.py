"""The command tree: help, exit codes, one line per error, pipes, Ctrl-C, and a quick start."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import alsatian
from alsatian.cli import app

Cli = Callable[..., Any]
ROOT: Any = typer.main.get_command(app.app)
COMMANDS = (
    *("demo", "inspect", "train", "evaluate", "tune", "report"),
    *("recommend", "similar", "explain", "index", "serve", "retrain", "spark"),
)


class TestHelp:
    def test_all_commands_are_there(self) -> None:
        assert tuple(ROOT.commands) == COMMANDS

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_and_option_says_what_it_does(self, name: str) -> None:
        command = ROOT.commands[name]
        assert f"\nalsatian {name} " in command.help, "an example stands in every help text"
        assert len(command.help.splitlines()[0]) <= 65, "longer ones are cut in the list of commands"
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name} says nothing"

    @pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
    def test_the_tree(self, cli: Cli, arguments: list[str]) -> None:
        answer = cli(*arguments)
        assert answer.code == 0
        assert not answer.err
        assert all(f"\n  {name} " in answer.out for name in COMMANDS)
        assert "alsatian train ratings.csv -o my.model --model implicit-als --min-rating 4\n" in answer.out

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_a_command(self, cli: Cli, name: str) -> None:
        answer = cli(name, "--help")
        assert answer.code == 0
        assert max(map(len, answer.out.splitlines())) <= 100

    def test_version(self, cli: Cli) -> None:
        assert cli("--version").out == f"alsatian {alsatian.__version__}\n"


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["trane"], "No such command 'trane'"),
            (["train", "--xyz", "3"], "No such option: --xyz; see 'alsatian train --help'."),
            (["train", "x.csv"], "Missing option '-o'"),
            (["similar"], "Missing argument 'FILE'"),
            (["similar", "x.model"], "Missing argument 'ITEM'; see"),
            (["recommend", "x.model", "--user", "1", "-n", "0"], "n=0 is not a valid list length; pass 1 or more."),
            (["explain", "x.model", "--user", "1", "-n", "-1", "Up"], "n=-1 is not a valid list length"),
            (["train", "x.csv", "-o", "x.model", "--threads", "0"], "threads=0 is out of bounds; pass 1 to 1024"),
            (["inspect", "x.csv", "--factors", "0"], "--factors 0 is out of bounds; pass 1 or more."),
            (["recommend", "x.model", "--user", "1", "-n", "ten"], "Invalid value for '-n'"),
            (["recommend", "x.model"], "no target: pass --user ID, --like TITLE"),
            (["recommend", "x.model", "--user", "1", "--like", "Up"], "--user and --like exclude each other"),
            (["recommend", "x.model", "--user", "1", "--retrain", "x.csv"], "pass what the visitor likes"),
            (["explain", "x.model", "Up"], "no target: pass either --user ID or --like"),
            (["explain", "x.model", "Up", "--user", "1", "--like", "Cars"], "either --user ID or --like"),
        ],
    )
    def test_a_wrong_command_line_is_told_in_one_line(self, cli: Cli, arguments: list[str], words: str) -> None:
        answer = cli(*arguments)
        assert answer.code == 2
        assert answer.out == ""
        assert answer.err.startswith("alsatian: ")
        assert answer.err.count("\n") == 1
        assert words in answer.err


class TestErrors:
    def fail(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        def invoke(_: object) -> None:
            raise error

        monkeypatch.setattr(app, "_invoke", invoke)

    @pytest.mark.parametrize(
        ("error", "code", "line"),
        [
            (alsatian.errors.ParameterError("reg=-1 is\ntoo small."), 2, "reg=-1 is too small."),
            (alsatian.errors.DataError("no rows."), 1, "no rows."),
            (MemoryError("Unable to allocate 9 GiB"), 1, "not enough memory: Unable to allocate 9 GiB."),
            (MemoryError(), 1, "not enough memory."),
            (PermissionError(13, "Permission denied", "x.csv"), 1, "Permission denied: x.csv."),
            (ZeroDivisionError("oh"), 1, "ZeroDivisionError: oh (set ALSATIAN_DEBUG=1 for the traceback)"),
        ],
    )
    def test_one_line_and_a_code(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, line: str
    ) -> None:
        self.fail(monkeypatch, error)
        answer = cli("demo")
        assert (answer.code, answer.err) == (code, f"alsatian: {line}\n")

    def test_a_traceback_on_request(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fail(monkeypatch, ZeroDivisionError("oh"))
        monkeypatch.setenv("ALSATIAN_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            cli("demo")

    def test_ctrl_c(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fail(monkeypatch, KeyboardInterrupt())
        answer = cli("demo")
        assert (answer.code, answer.out, answer.err) == (130, "", "interrupted\n")

    def test_ctrl_c_that_a_library_turned_into_an_error_of_its_own(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def invoke(_: object) -> None:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise alsatian.errors.SourceError("x.csv cannot be read: interrupted.") from None

        monkeypatch.setattr(app, "_invoke", invoke)
        assert cli("demo").code == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class TestProcess:
    @pytest.mark.parametrize(
        "code", ["import alsatian", "from alsatian.cli import run; run(['--help']); run(['train', '--help'])"]
    )
    def test_starts_at_once_as_nothing_heavy_is_imported(self, code: str) -> None:
        heavy = {"numpy", "duckdb", "rich", "scipy", "rapidfuzz", "safetensors", "alsatian.models", "json", "asyncio"}
        command = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
        assert not heavy & set(done.stderr.split())

    def test_exit_codes_reach_the_shell(self, spawn: Callable[..., subprocess.Popen[str]]) -> None:
        process = spawn("train", "x.csv", "-o", "x.model", "--set", "alpha")
        out, err = process.communicate()
        assert (process.returncode, out) == (2, "")
        assert err == "alsatian: --set 'alpha' is not NAME=VALUE; write it like --set factors=64.\n"

    def test_a_reader_who_has_enough(self, world: Path) -> None:
        """`alsatian ... | head -1` ends without a complaint."""
        alsatian, model = shlex.quote(sys.executable) + " -m alsatian", shlex.quote(f"{world}/implicit.model")
        command = f"{alsatian} recommend {model} --all-users -n 39 --include-seen --json"
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | head -1"], capture_output=True, text=True, check=False
        )
        assert done.stdout.count("\n") == 1
        assert "Broken" not in done.stderr
        assert "Traceback" not in done.stderr
        assert done.returncode == 0

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_under_standard_output(self, world: Path) -> None:
        alsatian, model = shlex.quote(sys.executable) + " -m alsatian", shlex.quote(f"{world}/implicit.model")
        command = f"{alsatian} recommend {model} --user 1 > /dev/full"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("alsatian: No space left on device")
        assert done.stderr.count("\n") == 1

    def test_text_that_the_output_cannot_encode(self, world: Path, tmp_path: Path) -> None:
        ratings = "".join(f"{u},{i},{1 + (u + len(i)) % 5}\n" for u in range(9) for i in ("λ", "µµ", "b", "ccc"))
        (tmp_path / "greek.csv").write_text("user,item,rating\n" + ratings, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "alsatian", "inspect", str(tmp_path / "greek.csv"), "--factors", "2"],
            capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert b"?" in done.stdout

    def test_ctrl_c_in_a_fit_leaves_nothing(
        self, world: Path, tmp_path: Path, spawn: Callable[..., subprocess.Popen[str]]
    ) -> None:
        more = ("--model", "explicit-als", "--set", "factors=40", "--set", "epochs=100000", "--threads", "1")
        process = spawn("train", world / "ratings.csv", "-o", tmp_path / "x.model", *more)
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("model"):
            assert line, "it ended before the fit"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)  # the fit alone would take longer
        assert (process.returncode, err) == (130, "interrupted\n")
        assert list(tmp_path.iterdir()) == []
