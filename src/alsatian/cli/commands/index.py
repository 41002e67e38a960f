"""alsatian index: make similar items quick to find in a large catalog."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian._util.formatting import duration, size
from alsatian.cli.options.common import Json, ModelFile, Threads
from alsatian.cli.options.output import check_output
from alsatian.cli.terminal import Facts, busy, print_json
from alsatian.errors import Unsupported, counted

if TYPE_CHECKING:
    from alsatian.models.factors.ann_index import Measured

Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to save; the model file itself if unset.")
]
Recall = Annotated[
    float, typer.Option("--recall", metavar="SHARE", help="The share of the most similar items that is to be found.")
]


def index(
    file: ModelFile, output: Output = None, recall: Recall = 0.95, threads: Threads = None, as_json: Json = False
) -> None:
    """Make similar items of a large catalog quick to find.

    The model file gets an index, if that pays; with it they are approximate. Lists for people are exact and need none.

    \b
    alsatian index shop.model
    alsatian index shop.model --recall 0.99 -o indexed.model
    """
    output = output or file
    check_output(output)
    from alsatian.models import index as make
    from alsatian.persistence import save_load

    begun = time.perf_counter()
    facts = Facts(stderr=as_json)
    model = save_load.load(file)
    made = make(model, recall=recall, threads=threads)
    if not made.measured.pays:
        items = counted(len(model.data.item_ids), "item")
        raise Unsupported(f"an index of {items} does not pay ({told_of(made.measured)}); {file} stays as it is.")
    with busy(f"saving {output}"):
        save_load.save(model, output)
    seconds = time.perf_counter() - begun
    facts.say("index", told_of(made.measured))
    facts.say("saved", f"{output}, {size(output.stat().st_size)}; {duration(seconds)} in all")
    if as_json:
        record = {"file": str(output), "bytes": output.stat().st_size, "seconds": seconds}
        print_json(record | {"index": made.to_json()})


def told_of(made: Measured) -> str:
    """Say what an index is worth."""
    return (
        f"similar items in {made.milliseconds:.2g} ms instead of {made.exact:.2g} ms, "
        f"{100 * made.recall:.1f} % of the right ones found"
    )
