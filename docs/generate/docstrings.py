"""Writes docstrings as the Markdown that they mean (an extension of griffe, which mkdocstrings uses)."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

DOCTEST = re.compile(r"^( *)>>> .*(?:\n *\S.*)*", re.MULTILINE)
DIRECTIVE = re.compile(r" *# doctest:.*")
RAISES = re.compile(r"\n *(?=Raises )")
ENTRY = re.compile(r"^ {0,4}((?:\*{0,2}[a-z]\w*(?:=[^:\n]+?)?)(?:, \*{0,2}[a-z]\w*)*): (?=\S)", re.MULTILINE)


class Docstrings(Extension):
    """Fences doctests, and makes a list of lines such as `factors: how many`."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Change the docstring of an object as it is loaded."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """Return a docstring in the habit of this project as Markdown."""
    parts = re.split(r"\n{2,}", RAISES.sub("\n\n", DIRECTIVE.sub("", docstring)))
    return "\n\n".join(_with_lists(DOCTEST.sub(_fenced, part)) for part in parts)


def _fenced(match: re.Match[str]) -> str:
    return f"{match[1]}```pycon\n{match[0]}\n{match[1]}```"


def _with_lists(paragraph: str) -> str:
    """Return a paragraph whose lines `name: meaning` are items, after an empty line, as Markdown wants it."""
    if "```" in paragraph or not (first := ENTRY.search(paragraph)):
        return paragraph
    head, entries = paragraph[: first.start()], paragraph[first.start() :]
    return f"{head}\n{ENTRY.sub(lambda entry: f'- `{entry[1]}`: ', entries)}"
