"""How long the sentences of the documentation are: `python tests/support/sentences.py [PAGE ...]`.

Prose counts: paragraphs and list items, of notebooks the Markdown cells. Headings, tables, code and bare links do not.
A code span or a link counts as the words that a reader sees.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
MAX_WORDS = 35
FENCE = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->|\A---\n.*?^---$", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^([-*+]|\d+[.)])\s+|^!!! (\w+ ?)?")  # also an admonition
NOT_PROSE = re.compile(r"#|\||:::|=== |\[[^\]]+\]: ")  # headings, tables, directives, tabs and link definitions
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|al|approx|Dr|No)\.(?=\s)")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_`\[]*[A-Z0-9`])")


class Sentence(NamedTuple):
    """A sentence of a page, as a reader sees it."""

    page: Path
    text: str

    @property
    def words(self) -> int:
        return len(re.findall(r"[^\s—–-]\S*", self.text))


def documentation() -> list[Path]:
    """Return the pages that the limit holds for: README, CONTRIBUTING and `docs/`."""
    docs = ROOT / "docs"
    return sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs.rglob("*.md"), *docs.rglob("*.ipynb")])


def markdown(page: Path) -> str:
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs and list items of Markdown, each on one line."""
    lines: list[str] = []
    for line in [*COMMENT.sub("", FENCE.sub("\n", text)).splitlines(), ""]:
        content = line.strip().removeprefix("> ")
        is_code = line.startswith("    ") and not lines
        is_prose = bool(content) and not NOT_PROSE.match(content) and not is_code
        if lines and not (is_prose and not ITEM.match(content)):
            yield " ".join(lines)
            lines = []
        if is_prose:
            lines.append(ITEM.sub("", content).strip('"'))


def sentences(page: Path) -> Iterator[Sentence]:
    for block in blocks(markdown(page)):
        visible_text = ABBREVIATION.sub(r"\1", LINK.sub(r"\1", block))
        for text in SENTENCE_END.split(visible_text):
            if re.search(r"[A-Za-z]{2}", text):
                yield Sentence(page, text.strip())


def main(names: list[str]) -> None:
    pages = [Path(name).resolve() for name in names] or documentation()
    longest_first = sorted((s for page in pages for s in sentences(page)), key=lambda s: -s.words)
    lengths = [sentence.words for sentence in longest_first]
    ninth_decile = quantiles(lengths, n=10)[-1] if len(lengths) > 1 else max(lengths)
    print(
        f"{len(pages)} pages, {len(lengths)} sentences: median {median(lengths):g} words, "
        f"one in ten over {ninth_decile:.0f}"
    )
    print(f"over {MAX_WORDS} words: {sum(length > MAX_WORDS for length in lengths)}; the longest:")
    for sentence in longest_first[:10]:
        path = sentence.page.relative_to(ROOT) if sentence.page.is_relative_to(ROOT) else sentence.page
        print(f"{sentence.words:4}  {path}: {sentence.text}")


if __name__ == "__main__":
    main(sys.argv[1:])
