"""The hook of mkdocs: adds the pages that the other files of this folder generate."""

from __future__ import annotations

from functools import partial

from command_line import command_line_page
from http_api import http_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from parameters import parameters_page
from root_pages import PAGES, root_page

GENERATED = {
    "reference/command-line.md": command_line_page,
    "reference/http.md": http_page,
    "reference/parameters.md": parameters_page,
    **{page: partial(root_page, page) for page in PAGES},
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, make_page in GENERATED.items():
        files.append(File.generated(config, path, content=make_page()))
    return files
