"""alsatian index: build an approximate index for similar items."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import describe_index
from alsatian.cli.options.common import Json, ModelFile, Threads
from alsatian.cli.options.output import check_output
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import Unsupported, pluralize

IndexOutput = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="The model file to write. Default: FILE itself.")
]
RecallTarget = Annotated[
    float,
    typer.Option(
        "--recall", metavar="SHARE", help="Target recall: share of the true ten most similar items, at most 1."
    ),
]


def index_model(
    file: ModelFile,
    output: IndexOutput = None,
    recall: RecallTarget = 0.95,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Build an approximate index for similar items.

    For large catalogs. The index is saved in the model file if it at least halves the time of a search.
    Recommendations stay exact.

    \b
    alsatian index shop.model
    alsatian index shop.model --recall 0.99 -o indexed.model
    """
    output = output or file
    check_output(output)
    from alsatian.persistence import save_load

    start = time.perf_counter()
    summary = Summary(stderr=as_json)
    model = save_load.load(file)
    model.build_index(recall=recall, threads=threads)
    benchmark = model.index.benchmark
    if not benchmark.is_worthwhile:
        items = pluralize(len(model.data.item_ids), "item")
        raise Unsupported(f"an index of {items} is not worthwhile ({describe_index(benchmark)}); {file} is unchanged.")
    with show_status(f"saving {output}"):
        save_load.save(model, output)
    seconds = time.perf_counter() - start
    summary.line("index", describe_index(benchmark))
    summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}; {format_duration(seconds)} in all")
    if as_json:
        record = {"file": str(output), "bytes": output.stat().st_size, "seconds": seconds}
        print_json(record | {"index": model.index.to_json()})
