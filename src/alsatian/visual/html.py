"""Pages of HTML: each one file, with its style and pictures inside; nothing is fetched when it is opened.

templates/    of Jinja, which escapes all that comes from data; base.html and base.css are what pages share
svg.py   figures as SVG inside a page, in its colours
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from alsatian._util.dataframes import import_package

TEMPLATES = Path(__file__).parent / "templates"


def import_jinja() -> Any:
    """Return Jinja; raises DependencyError where it is not installed."""
    return import_package("jinja2", "pip install 'alsatian[report]'")


def render_template(template: str, **values: Any) -> str:
    """Return a page: a template of this package, filled in. What is not marked as markup is text."""
    return str(_jinja_environment().get_template(template).render(values))


@cache
def _jinja_environment() -> Any:
    jinja2 = import_jinja()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["script"] = _script_markup
    return environment


def _script_markup(name: str) -> tuple[Any, str]:
    """Return a script as markup, and by which hash a page's policy allows it, and no other."""
    text = (TEMPLATES / name).read_text()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return import_jinja().utils.markupsafe.Markup(text), f"'sha256-{digest}'"
