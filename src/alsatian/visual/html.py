"""HTML pages from Jinja templates, which escape all text from data.

templates/   the templates; base.html and base.css are shared by the pages that need no other file
static/      scripts and styles of the page of a service
svg.py       figures as SVG inside a page, in its colors
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
    """Return the package jinja2; raises DependencyError if it is not installed."""
    return import_package("jinja2", "pip install 'alsatian[report]'")


def render_template(template: str, **values: Any) -> str:
    """Return a page from a template of this package. Values are escaped unless they are Markup."""
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
    """Return a script as Markup, and its hash for the Content-Security-Policy of the page."""
    text = (TEMPLATES / name).read_text()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return import_jinja().utils.markupsafe.Markup(text), f"'sha256-{digest}'"
