"""The command line: one module per command; nothing heavy is imported before a command runs.

    app              the command tree, and the one place where an error becomes an exit code
    commands/        one module per command; none imports another
    options/         options that several commands share: source, recipe, model, evaluation, curves, output, common

Output: terminal (lines, tables, JSON), data_messages (data and models), model_summary (a model file), print_lists,
posters_page, cost_estimate. Input: item_lookup (items by id or title), reread (the source of a model), visitor (a new
user, from --like).
"""

from alsatian.cli.app import main, run

__all__ = ["main", "run"]
