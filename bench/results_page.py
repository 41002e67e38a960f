"""Writing a page of results in Markdown: text, tables, pictures, and the circumstances of a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def circumstances(result: dict[str, Any]) -> str:
    """Say when, how, where and with what something was measured."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"*{result['date']}, `{result['command']}`, {result['minutes']:.0f} minutes. {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:g} GB; {machine['system']}, Python {machine['python']}. "
        f"{versions}.*"
    )


def interval(spread: dict[str, float] | None, scale: float = 1, unit: str = "", digits: int | None = None) -> str:
    """Write a median with the smallest and the largest; alone where they look the same."""
    if not spread:
        return "-"
    places = max(0, 2 - len(str(int(spread["median"] * scale)))) + 1 if digits is None else digits
    middle, low, high = (f"{spread[name] * scale:,.{places}f}" for name in ("median", "min", "max"))
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
