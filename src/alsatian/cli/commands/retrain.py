"""alsatian retrain: fit a model again on its source and the stored events."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import describe_index, print_read_summary
from alsatian.cli.options.common import Json, ModelFile, Threads
from alsatian.cli.options.output import check_output
from alsatian.cli.reread import drop_user_attributes, reread_source
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import AlsatianError, pluralize

if TYPE_CHECKING:
    from alsatian.models import Model
    from alsatian.models.factors.ann_index import IndexBenchmark

TrainingSource = Annotated[
    str,
    typer.Option(
        "--source", metavar="SOURCE", help="The data that the model was trained on, or a newer version of it."
    ),
]
EventLogUrl = Annotated[
    str | None,
    typer.Option("--event-log", metavar="URL", help="Database of the event log. Default: FILE.events.db."),
]
RetrainOutput = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="The model file to write; may be FILE itself.")
]


def retrain(
    file: ModelFile,
    source: TrainingSource,
    output: RetrainOutput,
    event_log: EventLogUrl = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Fit a model again on its source and the stored events.

    The events are those that `alsatian serve` stored. Settings and recipe stay the same. A running service reloads the
    new file by itself.

    \b
    alsatian retrain movies.model --source ratings.csv -o movies.model
    """
    check_output(output, source)
    from alsatian.persistence import save_load
    from alsatian.serving.event_log.training_rows import training_events

    start = time.perf_counter()
    old_model = save_load.load(file)
    new_events = training_events(old_model, file, event_log)
    summary = Summary(stderr=as_json)
    data = reread_source(old_model, source, new_events.extra_rows)
    print_read_summary(summary, source, data)
    model = type(old_model)(**drop_user_attributes(old_model.params)).fit(data, threads=threads)
    model.training["events"] = new_events.summary
    if old_model.index is not None:
        summary.line("index", _rebuild_index(model, old_model.index.benchmark.asked, threads))
    with show_status(f"saving {output}"):
        save_load.save(model, output)
    seconds = time.perf_counter() - start
    summary.line("model", f"{model.name}, with {pluralize(new_events.summary['count'], 'event')} from the event log")
    summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}; {format_duration(seconds)} in all")
    if as_json:
        print_json(
            {
                "source": source, "model": model.name, "file": str(output), "bytes": output.stat().st_size,
                "events": new_events.summary, "users": len(data.user_ids), "items": len(data.item_ids),
                "values": len(data), "rows": data.report.to_json(), "seconds": seconds,
                "index": model.index and model.index.to_json(),
            }
        )  # fmt: skip


def _rebuild_index(model: Model, recall: float, threads: int | None) -> str:
    """Build an index for the new model and return a one-line summary. A failure does not stop the retraining."""
    try:
        benchmark: IndexBenchmark = model.build_index(recall=recall, threads=threads).index.benchmark
    except (AlsatianError, RuntimeError, MemoryError) as error:
        return f"none: {error}"
    if benchmark.is_worthwhile:
        return describe_index(benchmark)
    model.index = None
    return f"none, as it is not worthwhile: {describe_index(benchmark)}"
