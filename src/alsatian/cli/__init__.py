"""The command line: one module per command; nothing heavy is imported before a command runs.

    app              the command tree, and the one place where an error becomes an exit code
    commands/        one module per command; none imports another
    options/         options that several commands share: source, recipe, model, evaluation, curves, output, common

What commands print: terminal (lines, tables, JSON), data_messages (of data and models), model_summary (of a model
file), print_lists, posters_page, cost_estimate. How they find things: item_lookup (items by id or title), reread (the
source of a model), visitor (a new user by --like).
"""

from alsatian.cli.app import main, run

__all__ = ["main", "run"]
