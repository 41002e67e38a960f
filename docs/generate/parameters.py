"""The reference of the parameters of each model, as the classes declare them."""

from __future__ import annotations

from typing import Any

from markdown_table import table_cell

INTRODUCTION = """# Parameters of the models

Each model takes its parameters by name: `al.ImplicitALS(factors=64)` in Python, `--model implicit-als:factors=64` or
`--set factors=64` on the command line.
"None" as a default means that the model chooses; the meaning says how.
"Search" is the range that `al.tune` and `alsatian tune` search when no other is passed; "log" means on a logarithmic
scale.
"""


def parameters_page() -> str:
    """Return the page as Markdown: a table for each model."""
    import alsatian.models  # noqa: F401  (defines the models, which enter the registry)
    from alsatian.recommender.registry import registered_models

    return "\n".join([INTRODUCTION, *(_section(model_type) for model_type in registered_models().values())])


def _section(model_type: Any) -> str:
    head = f"## {model_type.__name__}\n\nOn the command line: `{model_type.name}`.\n"
    rows = [
        f"| `{name}` | {_default(param)} | {table_cell(param.doc)} | {_bounds(param)} | {_search(param)} |"
        for name, param in model_type.hyperparameters.items()
    ]
    if not rows:
        return f"{head}\nIt has no parameters.\n"
    return "\n".join([head, "| parameter | default | meaning | range | search |", "|---|---|---|---|---|", *rows, ""])


def _default(param: Any) -> str:
    return f"`{param.default!r}`"


def _bounds(param: Any) -> str:
    if param.choices:
        return ", ".join(f"`{choice}`" for choice in param.choices)
    if param.kind is bool:
        return "`True`, `False`"
    return param.bounds_text.strip(" ()")


def _search(param: Any) -> str:
    if param.search is None:
        return ""
    if param.search is True:
        return "all"
    low, high, scale = param.search
    return f"{low:g} to {high:g}{', log' if scale == 'log' else ''}"
