"""alsatian spark: train on a cluster, and recommend for all users on it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import fit_summary, print_read_summary
from alsatian.cli.options.common import Json, Length
from alsatian.cli.options.model import MinRating, ModelSettings, choose_model, parse_settings
from alsatian.cli.options.recipe import resolve_min_rating
from alsatian.cli.options.source import DUPLICATES_HELP, RECIPE_HELP, column_option
from alsatian.cli.terminal import Summary, print_json
from alsatian.errors import ParameterError, SourceError, pluralize

if TYPE_CHECKING:
    from alsatian.models.als.base import ALS

_HELP = """Train on Spark, and recommend for all users on Spark.

\b
alsatian spark train ratings.parquet -o movies.model
alsatian spark recommend movies.model -o lists.parquet
"""
spark = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=_HELP)

SparkMaster = Annotated[
    str | None, typer.Option("--master", metavar="URL", help="The Spark master, such as local[4] or spark://host:7077.")
]
SparkRemote = Annotated[
    str | None, typer.Option("--remote", metavar="URL", help="The Spark Connect server, such as sc://host:15002.")
]
SparkConf = Annotated[list[str], typer.Option("--conf", metavar="NAME=VALUE", help="A Spark setting; repeat for more.")]
SparkSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="The data: Parquet, ORC, JSON lines, CSV with a header, or the name of a Spark table."
    ),
]
_FORMATS = {".parquet": "parquet", ".orc": "orc", ".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv"}


@spark.command("train")
def spark_train(
    source: SparkSource,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="The model file to write, on the driver's machine."),
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option(
            "--factors", metavar="FOLDER", help="Write the factors to this folder as Parquet, instead of a model file."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME", help="The model: explicit-als or implicit-als. Default: what suits the values."
        ),
    ] = None,
    settings: ModelSettings = [],  # noqa: B006
    items: Annotated[
        str | None, typer.Option("--items", metavar="FILE", help="A file with titles and attributes of the items.")
    ] = None,
    user: Annotated[str | None, column_option("user")] = None,
    item: Annotated[str | None, column_option("item")] = None,
    value: Annotated[str | None, column_option("value")] = None,
    time_column: Annotated[str | None, column_option("time")] = None,
    event: Annotated[str | None, column_option("event")] = None,
    weight: Annotated[str | None, column_option("weight")] = None,
    duplicates: Annotated[str | None, typer.Option("--duplicates", metavar="RULE", help=DUPLICATES_HELP)] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", metavar="FILE", help=RECIPE_HELP)] = None,
    min_rating: MinRating = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="The implementation: native, or mllib for MLlib's ALS.")
    ] = "native",
    folder: Annotated[
        str | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="Working folder; required on a cluster. An interrupted fit resumes from it.",
        ),
    ] = None,
    blocks: Annotated[
        int | None,
        typer.Option("--blocks", metavar="N", help="Number of blocks of users and of items. Default: by size."),
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions", metavar="N", help="Number of Spark partitions. Default: tasks that run at a time."
        ),
    ] = None,
    master: SparkMaster = None,
    remote: SparkRemote = None,
    conf: SparkConf = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Fit a model on Spark; save it in one file or as Parquet.

    \b
    alsatian spark train ratings.parquet --items movies.csv -o movies.model
    alsatian spark train hdfs:///events --model implicit-als --factors hdfs:///models/shop --master yarn
    spark-submit --master 'local[4]' submit.py spark train ratings.parquet -o movies.model
    """
    from alsatian.cli.options.output import check_output
    from alsatian.data.recipe import Recipe
    from alsatian.persistence import save_load
    from alsatian.spark import fit, fit_factors

    start = time.perf_counter()
    if (output is None) == (factors is None):
        raise ParameterError("no output: pass either -o FILE (a model on this machine) or --factors FOLDER (Parquet).")
    if output is not None:
        check_output(output, source, items)
    elif method != "native" or folder is not None:
        raise ParameterError("--factors excludes --method and --folder; remove them.")
    rules = Recipe() if recipe is None else Recipe.from_toml(recipe)
    rules = replace(rules, min_rating=resolve_min_rating(rules, min_rating))
    choice = _check_choice(model, settings, rules.min_rating)
    summary = Summary(stderr=as_json)
    session = _start_session(master, remote, conf)
    frame = read_frame(session, source)
    options: dict[str, Any] = {
        "user": user, "item": item, "value": value, "time": time_column, "event": event, "weight": weight,
        "duplicates": duplicates, "recipe": rules, "blocks": blocks, "partitions": partitions,
    }  # fmt: skip
    selected_model, reason = _select_model(choice, frame, options)
    summary.line(
        "model", f"{selected_model.name}, {reason} (--model chooses another)" if reason else selected_model.name
    )
    if factors is not None:
        item_frame = None if items is None else read_frame(session, items)
        factor_tables = fit_factors(selected_model, frame, factors, items=item_frame, **options)
        seconds = time.perf_counter() - start
        summary.line("saved", f"{factor_tables}; {format_duration(seconds)} in all")
        record = {"folder": factors, "users": factor_tables.header["users"], "items": factor_tables.header["items"]}
    else:
        assert output is not None
        fit(selected_model, frame, items=items, method=method, folder=folder, **options)  # type: ignore[arg-type]
        save_load.save(selected_model, output)
        seconds = time.perf_counter() - start
        print_read_summary(summary, source, selected_model.data)
        summary.line("fitted", fit_summary(selected_model))
        summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}; {format_duration(seconds)} in all")
        record = {
            "file": str(output),
            "users": len(selected_model.data.user_ids),
            "items": len(selected_model.data.item_ids),
        }
        record |= {"values": len(selected_model.data), "rows": selected_model.data.report.to_json()}
    if as_json:
        print_json(
            {
                "source": source,
                "model": selected_model.name,
                "why": reason,
                "params": selected_model.params,
                "seconds": seconds,
            }
            | record
        )


@spark.command("recommend")
def spark_recommend(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model file, or a folder of factors from `spark train --factors`.")
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="The folder to write the lists to, as Parquet.")
    ],
    n: Length = 10,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="CONDITION", help='List only items that match, such as "year >= 1990".'),
    ] = None,
    allow: Annotated[
        list[str],
        typer.Option(
            "--allow", metavar="ITEM", help="Restrict lists to this item and other allowed ones; repeat for more."
        ),
    ] = [],  # noqa: B006
    deny: Annotated[list[str], typer.Option("--deny", metavar="ITEM", help="Exclude this item; repeat for more.")] = [],  # noqa: B006
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Also list items that users already have.")
    ] = False,
    similar: Annotated[bool, typer.Option("--similar", help="Instead, list the items similar to each item.")] = False,
    folder: Annotated[
        str | None,
        typer.Option("--folder", metavar="FOLDER", help="Working folder for a model file; required on a cluster."),
    ] = None,
    master: SparkMaster = None,
    remote: SparkRemote = None,
    conf: SparkConf = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Write the best items of all users to Parquet.

    Columns: user, rank, item, score; with --similar: item, rank, similar, score.

    \b
    alsatian spark recommend movies.model -o lists.parquet -n 20 --where "year >= 1990"
    alsatian spark recommend hdfs:///models/shop -o hdfs:///lists --master yarn
    """
    from alsatian.spark.parquet_folder import holds_files, working_folder
    from alsatian.spark.session import translated_errors

    start = time.perf_counter()
    if similar and include_seen:
        raise ParameterError("--include-seen has no effect with --similar; remove it.")
    is_model_file = Path(model).is_file()
    if folder is not None and not is_model_file:
        raise ParameterError(f"--folder has no effect for {model}, which is a folder of factors; remove it.")
    session = _start_session(master, remote, conf)
    if holds_files(session, output):
        raise ParameterError(f"{output} already contains files; choose another folder with -o, or remove it.")
    with translated_errors(), working_folder(session, folder if is_model_file else model) as work_folder:
        factors = _open_factors(session, model, work_folder.path)
        ids = {
            name: [factors.parse_item(item) for item in items] or None
            for name, items in (("allow", allow), ("deny", deny))
        }
        options: dict[str, Any] = {"where": where, **ids}
        frame = (
            factors.similar(n, **options) if similar else factors.recommend(n, exclude_seen=not include_seen, **options)
        )
        frame.write.mode("append").parquet(output)  # into a folder that has no files
        rows = session.read.parquet(output).count()
    seconds = time.perf_counter() - start
    Summary(stderr=as_json).line("saved", f"{output}: {pluralize(rows, 'row')}; {format_duration(seconds)} in all")
    if as_json:
        print_json({"output": output, "rows": rows, "seconds": seconds})


def read_frame(session: Any, source: str) -> Any:
    """Return a source as a Spark frame; raises SourceError."""
    from pyspark.errors import PySparkException

    from alsatian.spark.input_rows import infer_csv_types

    name = source.rstrip("/*").removesuffix(".gz")
    file_format = _FORMATS.get(Path(name).suffix.lower()) or ("parquet" if "/" in source else "")
    reader = session.read
    if file_format == "csv":
        reader = reader.options(header=True, escape='"', sep="\t" if name.endswith(".tsv") else ",")
    try:
        frame = reader.format(file_format).load(source) if file_format else session.table(source)
        frame.columns  # noqa: B018  (Spark Connect checks the source only now)
        frame = infer_csv_types(frame) if file_format == "csv" else frame
    except PySparkException as error:
        message = str(error).splitlines()[0]
        raise SourceError(f"Spark cannot read {source}: {message[:200]}") from None
    return frame


def _start_session(master: str | None, remote: str | None, conf: list[str]) -> Any:
    from alsatian.spark.session import start_session

    if master and remote:
        raise ParameterError("--master (a driver on this machine) and --remote exclude each other; pass one of them.")
    return start_session(master, remote, parse_settings(conf))


def _check_choice(name: str | None, settings: list[str], min_rating: float | None) -> Any:
    """Check the model's name and settings, before Spark starts."""
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT

    if name not in (None, EXPLICIT, IMPLICIT):
        raise ParameterError(f"Spark fits {EXPLICIT} and {IMPLICIT}, not {name}; choose one of these.")
    return choose_model(name, settings, min_rating)


def _select_model(choice: Any, frame: Any, options: dict[str, Any]) -> tuple[ALS, str | None]:
    """Return the model for these values, and the reason; None if the user named it."""
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT
    from alsatian.spark.input_rows import find_rating_column
    from alsatian.spark.session import translated_errors
    from alsatian.spark.training import FitOptions

    if len(choice.models) == 1:
        return next(iter(choice.models.values())), choice.reason
    fit_options = FitOptions(**options)
    with translated_errors():
        column = find_rating_column(frame, fit_options.columns, fit_options.full_recipe)
    if column:
        return choice.models[EXPLICIT], f"because the values of column {column!r} look like ratings"
    return choice.models[IMPLICIT], "because the values look like amounts, not ratings"


def _open_factors(session: Any, model: str, folder: str) -> Any:
    from alsatian.models.als.base import ALS
    from alsatian.persistence import save_load
    from alsatian.spark import FactorTables

    if not Path(model).is_file():
        return FactorTables(session, model)
    loaded_model = save_load.load(model)
    if not isinstance(loaded_model, ALS):
        raise ParameterError(f"{model} is a {loaded_model.name} model; Spark lists need explicit-als or implicit-als.")
    return FactorTables.from_model(loaded_model, session, folder)
