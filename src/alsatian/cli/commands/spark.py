"""alsatian spark: train on a cluster, and make lists for everyone there."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration, size
from alsatian.cli.commands.train import fit_summary, tell_reading
from alsatian.cli.options.common import Json, Length
from alsatian.cli.options.recipe import likes_from
from alsatian.cli.terminal import Facts, print_json
from alsatian.errors import ParameterError, SourceError, counted

if TYPE_CHECKING:
    from alsatian.models.als.base import ALS

_HELP = """Train on Spark, and make lists for everyone there.

\b
alsatian spark train ratings.parquet -o movies.model
alsatian spark recommend movies.model -o lists.parquet
"""
spark = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=_HELP)

Master = Annotated[str | None, typer.Option("--master", metavar="URL", help="Such as local[4] or spark://host:7077.")]
Remote = Annotated[str | None, typer.Option("--remote", metavar="URL", help="Of Spark Connect: sc://host:15002.")]
Conf = Annotated[list[str], typer.Option("--conf", metavar="NAME=VALUE", help="A setting of Spark; repeat for more.")]
Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="What Spark reads: Parquet, ORC, JSON lines, CSV with a header, or a table."),
]
_FORMATS = {".parquet": "parquet", ".orc": "orc", ".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv"}


def _column(role: str) -> Any:
    return typer.Option(f"--{role}", metavar="COLUMN", help=f"The {role} column, if not recognised; '' for none.")


@spark.command("train")
def train(
    source: Source,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to save the model, on the driver.")
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option("--factors", metavar="FOLDER", help="Leave the factors here as Parquet, instead of in a FILE."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="explicit-als or implicit-als; else by the values."),
    ] = None,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="A setting of the model; repeat for more.")
    ] = [],  # noqa: B006
    items: Annotated[
        str | None, typer.Option("--items", metavar="FILE", help="Titles and attributes of items.")
    ] = None,
    user: Annotated[str | None, _column("user")] = None,
    item: Annotated[str | None, _column("item")] = None,
    value: Annotated[str | None, _column("value")] = None,
    time_column: Annotated[str | None, _column("time")] = None,
    event: Annotated[str | None, _column("event")] = None,
    weight: Annotated[str | None, _column("weight")] = None,
    duplicates: Annotated[
        str | None, typer.Option("--duplicates", metavar="RULE", help="last, sum, max, mean, or raise an error.")
    ] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", metavar="FILE", help="Rules in a TOML file.")] = None,
    likes: Annotated[
        float | None, typer.Option("--likes", metavar="VALUE", help="Take ratings of at least this as likes.")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="native, or mllib: by MLlib's ALS.")
    ] = "native",
    folder: Annotated[
        str | None,
        typer.Option("--folder", metavar="FOLDER", help="Work here; a fit that was broken off goes on from there."),
    ] = None,
    blocks: Annotated[int | None, typer.Option("--blocks", metavar="N", help="Into how many the rows are cut.")] = None,
    partitions: Annotated[int | None, typer.Option("--partitions", metavar="N", help="Of Spark.")] = None,
    master: Master = None,
    remote: Remote = None,
    conf: Conf = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Learn a model on Spark and save it in one file, or its factors as Parquet.

    \b
    alsatian spark train ratings.parquet --items movies.csv -o movies.model
    alsatian spark train hdfs:///events --model implicit-als --factors hdfs:///models/shop --master yarn
    spark-submit --master 'local[4]' submit.py spark train ratings.parquet -o movies.model
    """
    from alsatian.cli.options.output import check_output
    from alsatian.data.recipe import Recipe
    from alsatian.persistence import save_load
    from alsatian.spark import fit, fit_factors

    begun = time.perf_counter()
    if (output is None) == (factors is None):
        raise ParameterError("where to? Pass -o FILE for a model on this machine, or --factors FOLDER for Parquet.")
    if output is not None:
        check_output(output, source, items)
    elif method != "native" or folder is not None:
        raise ParameterError("--factors is the folder of the fit, by our kernels; leave --method and --folder out.")
    rules = Recipe() if recipe is None else Recipe.from_toml(recipe)
    rules = replace(rules, at_least=likes_from(rules, likes))
    planned = _planned(model, settings, rules.at_least)
    facts = Facts(stderr=as_json)
    session = _session(master, remote, conf)
    frame = read(session, source)
    options: dict[str, Any] = {
        "user": user, "item": item, "value": value, "time": time_column, "event": event, "weight": weight,
        "duplicates": duplicates, "recipe": rules, "blocks": blocks, "partitions": partitions,
    }  # fmt: skip
    chosen, why = _chosen(planned, frame, options)
    facts.say("model", f"{chosen.name}, {why} (--model chooses another)" if why else chosen.name)
    if factors is not None:
        table = None if items is None else read(session, items)
        made = fit_factors(chosen, frame, factors, items=table, **options)
        seconds = time.perf_counter() - begun
        facts.say("saved", f"{made}; {duration(seconds)} in all")
        record = {"folder": factors, "users": made.header["users"], "items": made.header["items"]}
    else:
        assert output is not None
        fit(chosen, frame, items=items, method=method, folder=folder, **options)  # type: ignore[arg-type]
        save_load.save(chosen, output)
        seconds = time.perf_counter() - begun
        tell_reading(facts, source, chosen.data)
        facts.say("fitted", fit_summary(chosen))
        facts.say("saved", f"{output}, {size(output.stat().st_size)}; {duration(seconds)} in all")
        record = {"file": str(output), "users": len(chosen.data.user_ids), "items": len(chosen.data.item_ids)}
        record |= {"values": len(chosen.data), "rows": chosen.data.report.to_json()}
    if as_json:
        print_json(
            {"source": source, "model": chosen.name, "why": why, "params": chosen.params, "seconds": seconds} | record
        )


@spark.command("recommend")
def recommend(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, or a folder of factors.")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the lists go, as Parquet.")],
    n: Length = 10,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Only items that fulfil this, in Spark's SQL."),
    ] = None,
    allow: Annotated[list[str], typer.Option("--allow", metavar="ITEM", help="Choose from these items only.")] = [],  # noqa: B006
    deny: Annotated[list[str], typer.Option("--deny", metavar="ITEM", help="Leave this item out.")] = [],  # noqa: B006
    include_seen: Annotated[bool, typer.Option("--include-seen", help="List also what users already have.")] = False,
    similar: Annotated[bool, typer.Option("--similar", help="For each item those most like it, instead.")] = False,
    folder: Annotated[
        str | None, typer.Option("--folder", metavar="FOLDER", help="Where a model file is laid out for the cluster.")
    ] = None,
    master: Master = None,
    remote: Remote = None,
    conf: Conf = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """List the best items for every user on Spark, written as Parquet: user, rank, item, score.

    \b
    alsatian spark recommend movies.model -o lists.parquet -n 20 --where "year >= 1990"
    alsatian spark recommend hdfs:///models/shop -o hdfs:///lists --master yarn
    """
    from alsatian.spark.parquet_folder import holds_files, working_folder
    from alsatian.spark.session import told

    begun = time.perf_counter()
    if similar and include_seen:
        raise ParameterError("--include-seen has no effect with --similar; drop it.")
    in_file = Path(model).is_file()
    if folder is not None and not in_file:
        raise ParameterError(f"--folder is for a model file, and {model} is a folder of factors; drop it.")
    session = _session(master, remote, conf)
    if holds_files(session, output):
        raise ParameterError(f"{output} holds files already; name another folder with -o, or remove it.")
    with told(), working_folder(session, folder if in_file else model) as place:
        factors = _factors(session, model, place.path)
        ids = {
            name: [factors.parse_item(one) for one in given] or None
            for name, given in (("allow", allow), ("deny", deny))
        }
        options: dict[str, Any] = {"where": where, **ids}
        lists = (
            factors.similar(n, **options) if similar else factors.recommend(n, exclude_seen=not include_seen, **options)
        )
        lists.write.mode("append").parquet(output)  # into a folder that has no files
        rows = session.read.parquet(output).count()
    seconds = time.perf_counter() - begun
    Facts(stderr=as_json).say("saved", f"{output}: {counted(rows, 'row')}; {duration(seconds)} in all")
    if as_json:
        print_json({"output": output, "rows": rows, "seconds": seconds})


def read(session: Any, source: str) -> Any:
    """Open what Spark reads; raises SourceError."""
    from pyspark.errors import PySparkException

    from alsatian.spark.input_rows import typed_text

    named = source.rstrip("/*").removesuffix(".gz")
    kind = _FORMATS.get(Path(named).suffix.lower()) or ("parquet" if "/" in source else "")
    reader = session.read
    if kind == "csv":
        reader = reader.options(header=True, escape='"', sep="\t" if named.endswith(".tsv") else ",")
    try:
        frame = reader.format(kind).load(source) if kind else session.table(source)
        frame.columns  # noqa: B018  (Connect looks only now)
        frame = typed_text(frame) if kind == "csv" else frame
    except PySparkException as error:
        line = str(error).splitlines()[0]
        raise SourceError(f"Spark cannot read {source}: {line[:200]}") from None
    return frame


def _session(master: str | None, remote: str | None, conf: list[str]) -> Any:
    from alsatian.cli.options.model import pairs
    from alsatian.spark.session import start

    if master and remote:
        raise ParameterError("--master starts a driver here and --remote asks for one elsewhere; pass one of them.")
    return start(master, remote, pairs(conf))


def _planned(name: str | None, settings: list[str], likes: float | None) -> Any:
    """Check the model's name and settings, before Spark starts."""
    from alsatian.cli.options.model import plan
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT

    if name not in (None, EXPLICIT, IMPLICIT):
        raise ParameterError(f"Spark fits {EXPLICIT} and {IMPLICIT}, not {name}; choose one of these.")
    return plan(name, settings, likes)


def _chosen(planned: Any, frame: Any, options: dict[str, Any]) -> tuple[ALS, str | None]:
    """Return the model for these values, and why, unless it was named."""
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT
    from alsatian.spark.input_rows import rated
    from alsatian.spark.session import told
    from alsatian.spark.training import Options

    if len(planned.models) == 1:
        return next(iter(planned.models.values())), planned.why
    given = Options(**options)
    with told():
        column = rated(frame, given.named, given.rules)
    if column:
        return planned.models[EXPLICIT], f"because the values of column {column!r} look like ratings"
    return planned.models[IMPLICIT], "because the values look like amounts, not ratings"


def _factors(session: Any, model: str, folder: str) -> Any:
    from alsatian.models.als.base import ALS
    from alsatian.persistence import save_load
    from alsatian.spark import Factors

    if not Path(model).is_file():
        return Factors(session, model)
    fitted = save_load.load(model)
    if not isinstance(fitted, ALS):
        raise ParameterError(f"{model} holds {fitted.name}; on Spark explicit-als and implicit-als make lists.")
    return Factors.put(fitted, session, folder)
