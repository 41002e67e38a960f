"""The summary of a model file, for `alsatian inspect FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsatian._util.formatting import format_bytes
from alsatian.cli.terminal import Summary, print_json
from alsatian.errors import pluralize

if TYPE_CHECKING:
    from alsatian.models import Model


def print_model(path: Path, *, as_json: bool) -> None:
    """Print the model, its data and its training, as text or JSON."""
    from alsatian.persistence import save_load
    from alsatian.persistence.container import read_library_version

    model = save_load.load(path)
    version = read_library_version(path)
    if as_json:
        print_json(_model_record(path, model, version))
    else:
        _print_model_summary(path, model, version)


def _model_record(path: Path, model: Model, version: str) -> dict[str, Any]:
    data = model.data
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "version": version,
        "model": model.name,
        "params": model.params,
        "users": len(data.user_ids),
        "items": len(data.item_ids),
        "values": len(data),
        "scale": list(data.scale),
        "ids": {"user": data.user_ids.kind, "item": data.item_ids.kind},
        "catalog": list(data.catalog.columns),
        "recipe": data.recipe.to_json(),
        "rows": data.report.to_json(),
        "training": model.training,
        "history": [epoch.to_json() for epoch in model.history],
    }


def _print_model_summary(path: Path, model: Model, version: str) -> None:
    from alsatian.ingest.rows.rejects import format_counts
    from alsatian.ingest.rows.roles import ROLES

    summary, data, recipe = Summary(), model.data, model.data.recipe
    summary.line("file", f"{path}, {format_bytes(path.stat().st_size)}, saved by alsatian {version}")
    settings = [f"{name}={value}" for name, value in model.non_default.items()]
    summary.line(
        "model",
        f"{model.name} {', '.join(settings) or 'with default settings'}" if model.params else model.name,
    )
    summary.line(
        "data",
        f"{len(data):,} {data.value_description} of {pluralize(len(data.user_ids), 'user')} "
        f"({data.user_ids.kind} ids) and {pluralize(len(data.item_ids), 'item')} ({data.item_ids.kind} ids)",
    )
    if recipe.columns:
        roles = [role for role in ROLES if recipe.columns.get(role)]
        summary.line("columns", ", ".join(f"{role}: {recipe.columns[role]}" for role in roles))
    rules = {name: rule for name, rule in recipe.rules().items() if name != "columns"} | recipe.reading
    summary.line("reading", ", ".join(f"{name}: {_format_rule(rule)}" for name, rule in rules.items()))
    report = data.report
    left_out = f"; left out: {format_counts(report.skipped)}" if report.skipped else ""
    summary.line("rows", f"{report.read:,} read{left_out}; {report.combined:,} combined with another")
    if data.catalog.columns:
        summary.line("catalog", ", ".join(data.catalog.columns))
    summary.line("training", model.fit_description)


def _format_rule(rule: Any) -> str:
    if isinstance(rule, dict):
        return " ".join(f"{name}={weight:g}" for name, weight in rule.items())
    return f"{rule:g}" if isinstance(rule, float) else str(rule)
