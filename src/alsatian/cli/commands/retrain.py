"""alsatian retrain: the same model again, from its source and what its service has kept since."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian._util.formatting import duration, size
from alsatian.cli.commands.index import told_of
from alsatian.cli.commands.train import tell_reading
from alsatian.cli.options.common import Json, ModelFile, Threads
from alsatian.cli.options.output import check_output
from alsatian.cli.reread import read_again, without_users
from alsatian.cli.terminal import Facts, busy, print_json
from alsatian.errors import AlsatianError, counted

if TYPE_CHECKING:
    from alsatian.models import Model

From = Annotated[
    str, typer.Option("--source", metavar="SOURCE", help="What the model was trained on, or a newer state of it.")
]
EventsAt = Annotated[
    str | None,
    typer.Option("--events", metavar="URL", help="The service's database; FILE.events.db beside the model by default."),
]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to save; FILE itself is allowed.")]


def retrain(
    file: ModelFile,
    source: From,
    output: Output,
    events: EventsAt = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Fit a model anew on its source and the events of its service.

    Settings and recipe stay as they are. A running service takes the new file into use by itself.

    \b
    alsatian retrain movies.model --source ratings.csv -o movies.model
    """
    check_output(output, source)
    from alsatian.persistence import save_load
    from alsatian.serving.event_log.training_rows import events_for

    begun = time.perf_counter()
    old = save_load.load(file)
    learned = events_for(old, file, events)
    facts = Facts(stderr=as_json)
    data = read_again(old, source, learned.beside)
    tell_reading(facts, source, data)
    model = type(old)(**without_users(old.params)).fit(data, threads=threads)
    model.training["events"] = learned.remembered
    if old.index is not None:
        facts.say("index", _indexed(model, old.index.measured.asked, threads))
    with busy(f"saving {output}"):
        save_load.save(model, output)
    seconds = time.perf_counter() - begun
    facts.say("model", f"{model.name}, which knows {counted(learned.remembered['count'], 'event')} now")
    facts.say("saved", f"{output}, {size(output.stat().st_size)}; {duration(seconds)} in all")
    if as_json:
        print_json(
            {
                "source": source, "model": model.name, "file": str(output), "bytes": output.stat().st_size,
                "events": learned.remembered, "users": len(data.user_ids), "items": len(data.item_ids),
                "values": len(data), "rows": data.report.to_json(), "seconds": seconds,
                "index": model.index and model.index.to_json(),
            }
        )  # fmt: skip


def _indexed(model: Model, recall: float, threads: int | None) -> str:
    """Give a model an index where it pays, and say what came of it; the fit is worth keeping in any case."""
    from alsatian.models import index

    try:
        made = index(model, recall=recall, threads=threads).measured
    except (AlsatianError, RuntimeError, MemoryError) as error:
        return f"none: {error}"
    if made.pays:
        return told_of(made)
    model.index = None
    return f"none, as it would not pay: {told_of(made)}"
