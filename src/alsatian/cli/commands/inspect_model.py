"""What a model file holds, for `alsatian inspect FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsatian._util.formatting import duration, number, size
from alsatian.cli.terminal import Facts, print_json
from alsatian.errors import counted

if TYPE_CHECKING:
    from alsatian.models import Model


def about_model(path: Path, *, as_json: bool) -> None:
    """Print what a model is, what it was learned from and how."""
    from alsatian.persistence import save_load
    from alsatian.persistence.container import version_of

    model = save_load.load(path)
    version = version_of(path)
    if as_json:
        print_json(_record(path, model, version))
    else:
        _draw(path, model, version)


def _record(path: Path, model: Model, version: str) -> dict[str, Any]:
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


def _draw(path: Path, model: Model, version: str) -> None:
    from alsatian.ingest.rows.rejects import reasons
    from alsatian.ingest.rows.roles import ROLES

    facts, data, recipe = Facts(), model.data, model.data.recipe
    facts.say("file", f"{path}, {size(path.stat().st_size)}, saved by alsatian {version}")
    changed = [f"{name}={value}" for name, value in model.changed.items()]
    facts.say(
        "model",
        f"{model.name} {', '.join(changed) or 'with default settings'}" if model.params else model.name,
    )
    if recipe.at_least is not None:
        values = f"likes (values of {recipe.at_least:g} and more)"
    else:
        values = (
            "values from {:g} to {:,g}".format(*data.scale)
            if data.scale[0] < data.scale[1]
            else f"values, all {data.scale[0]:g}"
        )
    facts.say(
        "data",
        f"{len(data):,} {values} of {counted(len(data.user_ids), 'user')} ({data.user_ids.kind} ids) and "
        f"{counted(len(data.item_ids), 'item')} ({data.item_ids.kind} ids)",
    )
    if recipe.columns:
        known = [role for role in ROLES if recipe.columns.get(role)]
        facts.say("columns", ", ".join(f"{role}: {recipe.columns[role]}" for role in known))
    rules = {name: rule for name, rule in recipe.rules().items() if name != "columns"} | recipe.reading
    facts.say("reading", ", ".join(f"{name}: {_rule(rule)}" for name, rule in rules.items()))
    report = data.report
    left = f"; left out: {reasons(report.skipped)}" if report.skipped else ""
    facts.say("rows", f"{report.read:,} read{left}; {report.combined:,} combined with another")
    if data.catalog.columns:
        facts.say("catalog", ", ".join(data.catalog.columns))
    end = model.history[-1] if model.history else None
    epochs = f"{counted(end.epoch, 'epoch')}, objective {number(end.objective)}, " if end else ""
    facts.say(
        "training",
        f"{epochs}{duration(model.training['seconds'])} on {counted(model.training['threads'], 'thread')}"
        + (f"; {model.remark}" if model.remark else ""),
    )


def _rule(rule: Any) -> str:
    if isinstance(rule, dict):
        return " ".join(f"{name}={weight:g}" for name, weight in rule.items())
    return f"{rule:g}" if isinstance(rule, float) else str(rule)
