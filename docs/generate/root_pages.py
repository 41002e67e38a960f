"""CONTRIBUTING.md and CHANGELOG.md of the repository as pages of the site."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"contributing.md": "CONTRIBUTING.md", "changes.md": "CHANGELOG.md"}
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)]*)\)")


def root_page(page: str) -> str:
    """Return a page of the repository's root as a page of `docs/`."""
    return LINK.sub(_as_in_docs, (ROOT / PAGES[page]).read_text())


def _as_in_docs(link: re.Match[str]) -> str:
    """Return a link of the repository's root as it is from `docs/`; what lies outside of `docs/` is no link there."""
    text, target = link.groups()
    renamed = {source: page for page, source in PAGES.items()}
    if target in renamed:
        return f"[{text}]({renamed[target]})"
    return f"[{text}]({target.removeprefix('docs/')})" if target.startswith("docs/") else text
