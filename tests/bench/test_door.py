"""`python -m bench`: it lists every suite and study, explains each, and names the nearest to an unknown name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as door
from bench import benchmarks_page, programs
from bench.commits.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUOTED = sorted(
    {name for page in PAGES for name in re.findall(r"python -m bench (\w+)", page.read_text())}
    | {name for page in PAGES for name in re.findall(r"make bench PART=(\w+)", page.read_text())}
)


@pytest.mark.parametrize("arguments", [[], ["--list"]])
def test_the_list_names_every_suite_and_study(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    door.main(arguments)
    listed = re.findall(r"^  (\w+)  ", capsys.readouterr().out, re.MULTILINE)
    modules = [path.stem for kind in ("suites", "studies") for path in (ROOT / "bench" / kind).glob("*.py")]
    assert sorted(listed) == sorted([stem for stem in modules if stem != "__init__"] + list(programs.COMMANDS))


def test_every_line_of_the_list_has_a_duration_and_a_summary() -> None:
    for program in programs.programs():
        assert program.duration, program.name
        assert 5 < len(program.summary) < 95 or program.name in benchmarks_page.SUITES, program.name


@pytest.mark.parametrize("name", [program.name for program in programs.programs()])
def test_every_program_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        door.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m bench {name} ")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("solvrs", "did you mean 'solvers'?"), ("cold-star", "did you mean 'cold_start'?"), ("x9", "lists them")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(hint)) as ended:
        door.main([name])
    assert "\n" not in str(ended.value.code)


def test_hyphens_stand_for_underscores() -> None:
    assert programs.program("twenty-million").name == "twenty_million"


@pytest.mark.parametrize("name", QUOTED)
def test_every_quoted_command_is_there(name: str) -> None:
    assert programs.program(name).name == name


def test_the_page_quotes_suites() -> None:
    suites = {program.name for program in programs.programs() if program.kind == "suites"}
    assert suites >= set(benchmarks_page.SUITES)


def test_no_module_name_stands_twice() -> None:
    stems = [path.stem for path in (ROOT / "bench").rglob("*.py") if not path.stem.startswith("__")]
    assert sorted(stems) == sorted(set(stems))


def test_the_workloads_of_a_comparison_need_no_package_beside_the_standard_library() -> None:
    """A commit's own Python runs them: they import Alsatian when they run, and NumPy not at all."""
    code = "import sys, bench.commits.workloads; print({'alsatian', 'numpy'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"
    assert list(WORKLOADS) == ["solvers", "topn", "reading", "serving", "imports"]


@pytest.mark.parametrize("worker", ["worker", "recommender", "sgemm"])
def test_peers_need_no_alsatian(worker: str) -> None:
    code = f"import sys, bench.peers.{worker}; print('alsatian' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "False"
