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
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return sorted([*(page for page in pages if page.exists()), *(ROOT / "docs").rglob("*.ipynb")])


def markdown(page: Path) -> str:
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs and list items of Markdown, each on one line."""
    lines: list[str] = []
    for line in [*COMMENT.sub("", FENCE.sub("\n", text)).splitlines(), ""]:
        bare = line.strip().removeprefix("> ")
        starts_item = re.match(r"([-*+]|\d+[.)])\s+|!!! ", bare)
        leaves = not bare or re.match(r"#|\||:::|=== |\[[^\]]+\]: ", bare) or (line.startswith("    ") and not lines)
        if (starts_item or leaves) and lines:
            yield " ".join(lines)
            lines = []
        if not leaves:
            lines.append(re.sub(r"^([-*+]|\d+[.)])\s+|^!!! \w+ ?", "", bare).strip('"'))


def sentences(page: Path) -> Iterator[Sentence]:
    for block in blocks(markdown(page)):
        seen = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", block)
        seen = ABBREVIATION.sub(r"\1", seen)
        for text in SENTENCE_END.split(seen):
            if re.search(r"[A-Za-z]{2}", text):
                yield Sentence(page, text.strip())


def main(names: list[str]) -> None:
    pages = [Path(name).resolve() for name in names] or documentation()
    found = sorted((sentence for page in pages for sentence in sentences(page)), key=lambda s: -s.words)
    lengths = [sentence.words for sentence in found]
    tenth = quantiles(lengths, n=10)[-1] if len(lengths) > 1 else max(lengths)
    print(f"{len(pages)} pages, {len(found)} sentences: median {median(lengths):g} words, one in ten over {tenth:.0f}")
    print(f"over {MAX_WORDS} words: {sum(length > MAX_WORDS for length in lengths)}; the longest:")
    for sentence in found[:10]:
        path = sentence.page.relative_to(ROOT) if sentence.page.is_relative_to(ROOT) else sentence.page
        print(f"{sentence.words:4}  {path}: {sentence.text}")


if __name__ == "__main__":
    main(sys.argv[1:])
