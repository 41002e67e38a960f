"""Text in the cells of Markdown tables."""

from __future__ import annotations

import re

_CODE_OR_SIGN = re.compile(r"`[^`|]*`|[\\|<>\[\]*_]")


def table_cell(text: str) -> str:
    """Return text as a cell: on one line, with every sign of Markdown escaped but those in code spans."""
    return " ".join(_CODE_OR_SIGN.sub(_escaped, text).split())


def _escaped(match: re.Match[str]) -> str:
    if match[0].startswith("`"):
        return match[0]
    return "&lt;" if match[0] == "<" else f"\\{match[0]}"  # Markdown has no backslash escape of "<"
