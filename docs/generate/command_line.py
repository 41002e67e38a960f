"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markdown_table import table_cell

INTRODUCTION = """# Command line

Every command with its arguments and options, as `alsatian COMMAND --help` prints them.

Exit codes: 0 for success, 1 if the work failed (one line on standard error says why), 2 for a wrong usage, and 130
after Ctrl-C.
With `--json` a command prints JSON with stable keys on standard output, and nothing else.
"""


def command_line_page() -> str:
    """Return the page as Markdown: a section for each command."""
    from typer.main import get_command

    from alsatian.cli.app import app

    program = get_command(app)
    context = program.make_context("alsatian", [], resilient_parsing=True)
    return "\n".join([INTRODUCTION, *_sections(program, context)])


def _sections(group: Any, context: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        if hasattr(command, "commands"):
            yield from _sections(command, inner)
        else:
            yield _section(command, inner)


def _section(command: Any, context: Any) -> str:
    summary, _, examples = command.help.partition("\b\n")
    usage = command.get_usage(context).removeprefix("Usage: ").replace("\n", "\n    ")
    records = [record for param in command.params if (record := param.get_help_record(context))]
    return "\n".join(
        [
            f"## {context.command_path}\n",
            summary.strip().replace("\b", "") + "\n",
            "```text\n" + usage + "\n```\n",
            *(["Examples:\n", "```text\n" + examples.strip() + "\n```\n"] if examples else []),
            "| argument or option | meaning |",
            "|---|---|",
            *(f"| `{names}` | {table_cell(meaning)} |" for names, meaning in records),
            "",
        ]
    )
