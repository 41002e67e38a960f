"""Shows CONTRIBUTING.md and CHANGELOG.md of the repository as pages of the site (a hook of mkdocs)."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {"contributing.md": "CONTRIBUTING.md", "changes.md": "CHANGELOG.md"}
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)]*)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those that mkdocs has found."""
    root = Path(config.config_file_path).parent
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=LINK.sub(_as_in_docs, (root / source).read_text())))
    return files


def _as_in_docs(link: re.Match[str]) -> str:
    """Return a link of the repository's root as it is from `docs/`; what lies outside of `docs/` is no link there."""
    text, target = link.groups()
    renamed = {source: page for page, source in PAGES.items()}
    if target in renamed:
        return f"[{text}]({renamed[target]})"
    return f"[{text}]({target.removeprefix('docs/')})" if target.startswith("docs/") else text
