"""The command tree, and the one place where an error becomes an exit code."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from alsatian.cli.commands.demo import demo
from alsatian.cli.commands.evaluate import evaluate_models
from alsatian.cli.commands.explain import explain
from alsatian.cli.commands.index import index_model
from alsatian.cli.commands.inspect import inspect
from alsatian.cli.commands.recommend import recommend
from alsatian.cli.commands.report import write_report
from alsatian.cli.commands.retrain import retrain
from alsatian.cli.commands.serve import serve
from alsatian.cli.commands.similar import similar
from alsatian.cli.commands.spark import spark
from alsatian.cli.commands.train import train
from alsatian.cli.commands.tune import tune_model

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
_UsageError: Any = typer.BadParameter.__base__  # of click, which typer may bundle

app = typer.Typer(
    name="alsatian",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, Any] = {
    "demo": demo,
    "inspect": inspect,
    "train": train,
    "evaluate": evaluate_models,
    "tune": tune_model,
    "report": write_report,
    "recommend": recommend,
    "similar": similar,
    "explain": explain,
    "index": index_model,
    "serve": serve,
    "retrain": retrain,
}
for name, command in _COMMANDS.items():
    app.command(name)(command)
app.add_typer(spark, name="spark")


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from alsatian._version import __version__

        typer.echo(f"alsatian {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def alsatian(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turn ratings or events into recommendations.

    \b
    Try it on a sample dataset:
      alsatian demo --like "Iron Man"
    Then use your own data:
      alsatian train ratings.csv -o my.model --model implicit-als --min-rating 4
      alsatian recommend my.model --user 42
      alsatian serve my.model
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run the command line of this process."""
    warnings.formatwarning = lambda message, *_, **__: f"alsatian: {message}\n"
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0, 1 (the work failed), 2 (usage) or 130 (Ctrl-C)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a title that the terminal cannot encode is not an error
    interrupt = _Interrupt()
    try:
        with interrupt:
            _invoke(arguments)
            sys.stdout.flush()
    except typer.Exit as exit_request:
        return exit_request.exit_code
    except BrokenPipeError:
        _discard_output(sys.stdout)  # the reader, such as `head`, has closed the pipe
        return 0
    except BaseException as error:
        if interrupt.is_pressed or isinstance(error, KeyboardInterrupt | typer.Abort):
            print("interrupted", file=sys.stderr)
            return EXIT_INTERRUPTED
        if os.environ.get("ALSATIAN_DEBUG") or not isinstance(error, Exception):
            raise
        code, line = exit_code_and_line(error)
        print(f"alsatian: {line}", file=sys.stderr)
        return code
    return 0


def _invoke(arguments: Sequence[str]) -> None:
    root = typer.main.get_command(app)
    with root.make_context("alsatian", list(arguments), obj=list(arguments)) as context:
        root.invoke(context)


def exit_code_and_line(error: Exception) -> tuple[int, str]:
    """Return the exit code and the one line for an error."""
    from alsatian.errors import AlsatianError, ParameterError

    if isinstance(error, _UsageError):
        path, message = error.ctx.command_path if error.ctx else "alsatian", _one_line(error.format_message())
        is_dashed = re.search(r"No such option: -\d", message)
        next_step = "arguments that begin with a dash go last, after --" if is_dashed else f"see '{path} --help'"
        is_question = message.endswith("?")
        return (
            EXIT_USAGE,
            f"{message} {next_step[0].upper()}{next_step[1:]}."
            if is_question
            else f"{message.rstrip('.')}; {next_step}.",
        )
    if isinstance(error, ParameterError):
        return EXIT_USAGE, _one_line(str(error))
    if isinstance(error, AlsatianError):
        return EXIT_FAILED, _one_line(str(error))
    if isinstance(error, MemoryError):
        return EXIT_FAILED, f"not enough memory{f': {_one_line(str(error))}' if str(error) else ''}."
    if isinstance(error, OSError) and error.strerror:
        return EXIT_FAILED, f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return EXIT_FAILED, f"{type(error).__name__}: {_one_line(str(error))} (set ALSATIAN_DEBUG=1 for the traceback)"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _discard_output(stream: Any) -> None:
    """Send buffered output to /dev/null, so that Python does not report an error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Interrupt:
    """Records that Ctrl-C was pressed, even if a library turns KeyboardInterrupt into another error."""

    is_pressed = False

    def __enter__(self) -> None:
        self.previous_handler: Any = signal.getsignal(signal.SIGINT)
        if self._handles_signal():
            signal.signal(signal.SIGINT, self._on_signal)

    def _handles_signal(self) -> bool:
        """Return whether to handle Ctrl-C: only in the main thread, and not if it is ignored, as in background jobs."""
        is_main_thread = threading.current_thread() is threading.main_thread()
        return is_main_thread and self.previous_handler not in (signal.SIG_IGN, None)

    def _on_signal(self, *_: object) -> None:
        self.is_pressed = True
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        if self._handles_signal():
            signal.signal(signal.SIGINT, self.previous_handler)
