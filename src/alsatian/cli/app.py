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
from alsatian.cli.commands.evaluate import evaluate
from alsatian.cli.commands.explain import explain
from alsatian.cli.commands.index import index
from alsatian.cli.commands.inspect import inspect
from alsatian.cli.commands.recommend import recommend
from alsatian.cli.commands.report import report
from alsatian.cli.commands.retrain import retrain
from alsatian.cli.commands.serve import serve
from alsatian.cli.commands.similar import similar
from alsatian.cli.commands.spark import spark
from alsatian.cli.commands.train import train
from alsatian.cli.commands.tune import tune

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_UsageError: Any = typer.BadParameter.__base__  # of click, wherever typer keeps it

app = typer.Typer(
    name="alsatian",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, inspect, train, evaluate, tune, report, recommend, similar, explain, index, serve, retrain):
    app.command()(command)
app.add_typer(spark, name="spark")


def _version(asked: bool) -> None:
    if asked:
        from alsatian._version import __version__

        typer.echo(f"alsatian {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def alsatian(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turn ratings or events into recommendations.

    \b
    Try it on a real sample:
      alsatian demo --like "Iron Man"
    Then on data of your own:
      alsatian train ratings.csv -o my.model --model implicit-als --likes 4
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
            stream.reconfigure(errors="replace")  # a title that the terminal cannot show is no reason to fail
    interrupted = _Interrupt()
    try:
        with interrupted:
            _invoke(arguments)
            sys.stdout.flush()
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        _close_quietly(sys.stdout)  # whoever was reading, such as `head`, has enough
        return 0
    except BaseException as error:
        if interrupted.happened or isinstance(error, KeyboardInterrupt | typer.Abort):
            print("interrupted", file=sys.stderr)
            return INTERRUPTED
        if os.environ.get("ALSATIAN_DEBUG") or not isinstance(error, Exception):
            raise
        code, line = told(error)
        print(f"alsatian: {line}", file=sys.stderr)
        return code
    return 0


def _invoke(arguments: Sequence[str]) -> None:
    root = typer.main.get_command(app)
    with root.make_context("alsatian", list(arguments), obj=list(arguments)) as context:
        root.invoke(context)


def told(error: Exception) -> tuple[int, str]:
    """Return the exit code and the one line for an error."""
    from alsatian.errors import AlsatianError, ParameterError

    if isinstance(error, _UsageError):
        path, message = error.ctx.command_path if error.ctx else "alsatian", _one_line(error.format_message())
        dashed = re.search(r"No such option: -\d", message)
        step = "what begins with a dash and is no option goes last, after --" if dashed else f"see '{path} --help'"
        asks = message.endswith("?")
        return USAGE, f"{message} {step[0].upper()}{step[1:]}." if asks else f"{message.rstrip('.')}; {step}."
    if isinstance(error, ParameterError):
        return USAGE, _one_line(str(error))
    if isinstance(error, AlsatianError):
        return FAILED, _one_line(str(error))
    if isinstance(error, MemoryError):
        return FAILED, f"not enough memory{f': {_one_line(str(error))}' if str(error) else ''}."
    if isinstance(error, OSError) and error.strerror:
        return FAILED, f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return FAILED, f"{type(error).__name__}: {_one_line(str(error))} (set ALSATIAN_DEBUG=1 for the traceback)"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _close_quietly(stream: Any) -> None:
    """Let what is still buffered go nowhere, so that Python does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Interrupt:
    """Remembers that Ctrl-C was pressed, whatever a library below turns the KeyboardInterrupt into."""

    happened = False

    def __enter__(self) -> None:
        self.before: Any = signal.getsignal(signal.SIGINT)
        if self._ours():
            signal.signal(signal.SIGINT, self._press)

    def _ours(self) -> bool:
        """Leave an ignored Ctrl-C ignored, as in a background job; threads other than the main one get none."""
        main = threading.current_thread() is threading.main_thread()
        return main and self.before not in (signal.SIG_IGN, None)

    def _press(self, *_: object) -> None:
        self.happened = True
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        if self._ours():
            signal.signal(signal.SIGINT, self.before)
