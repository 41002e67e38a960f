"""Writing docs/benchmarks.md from the JSON results: a section for each part, its tables and its pictures."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARTS = ("kernels", "solvers", "sgd", "topn", "neighbors", "reading", "scaling", "quality")

HEAD = """# Benchmarks

Made by `make bench` from `bench/results/*.json`; do not edit. Every participant runs in a process and an environment
of its own, on the same data and threads, in turn round after round; figures are medians with (smallest to largest).
Who does not install or fails is listed with the reason. Data in the shape of a known set is synthetic ({source}):
for speed and memory only. Alsatian's results are the same bits at any number of threads; not every peer promises that.
"""


class Page:
    """A page of Markdown that grows, and where its pictures go."""

    def __init__(self, path: Path) -> None:
        self.path, self.pictures = path, path.parent / path.stem
        self.lines: list[str] = []

    def text(self, text: str) -> None:
        self.lines += [text.strip(), ""]

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        for row in (header, ["---"] * len(header), *rows):
            self.lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
        self.lines.append("")

    def write(self) -> None:
        self.path.write_text("\n".join(self.lines).rstrip() + "\n")


def write(results: Path, target: Path) -> None:
    """Render what results there are."""
    page = Page(target)
    found = {name: json.loads(path.read_text()) for name in PARTS if (path := results / f"{name}.json").exists()}
    sources = {one["source"] for one in found.values()}
    page.text(HEAD.format(source=", ".join(f"`{one}`" for one in sorted(sources))))
    for name, result in found.items():
        part = importlib.import_module(f"parts.{name}")
        title, _, body = (part.__doc__ or "").partition("\n")
        page.text(f"## {title}")
        page.text(body)
        part.render(result["results"], page)
        page.text(circumstances(result))
    page.write()


def circumstances(result: dict[str, Any]) -> str:
    """Say when, how, where and with what something was measured."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"*{result['date']}, `{result['command']}`, {result['minutes']:.0f} minutes. {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:g} GB; {machine['system']}, Python {machine['python']}. "
        f"{versions}.*"
    )


def interval(found: dict[str, float] | None, scale: float = 1, unit: str = "", digits: int | None = None) -> str:
    """Write a median with the smallest and the largest; alone where they look the same."""
    if not found:
        return "-"
    places = max(0, 2 - len(str(int(found["median"] * scale)))) + 1 if digits is None else digits
    middle, low, high = (f"{found[name] * scale:,.{places}f}" for name in ("median", "min", "max"))
    return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


def gigabytes(count: float | None) -> str:
    return "-" if count is None else f"{count / 1e9:.2f}"


@contextmanager
def figure(page: Page, name: str, title: str, height: float = 3.6) -> Iterator[Any]:
    """Give axes to draw on; the picture goes into the page. Without matplotlib there is none, and a line says so."""
    try:
        import matplotlib
    except ImportError:
        matplotlib = None
    if matplotlib is None:
        page.text("*No picture: matplotlib is not installed (`pip install alsatian[bench]`).*")
        yield _Nothing()
        return
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "alsatian", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(7.2, height), layout="constrained")
    yield axes
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    page.pictures.mkdir(parents=True, exist_ok=True)
    drawing.savefig(page.pictures / f"{name}.svg", metadata={"Date": None})
    pyplot.close(drawing)
    page.text(f"![{title}]({page.pictures.name}/{name}.svg)")


class _Nothing:
    """Axes that draw nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None
