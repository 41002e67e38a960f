"""The command line: a module per command; nothing heavy is imported before a command runs.

    app           the command tree, and where an error becomes an exit code
    demo          train from a sample, judge, recommend
    inspect       of data:   profile (the numbers), problems (what may be wrong), estimate (what a fit costs)
                  of a model: about
    train         settings (which model), destination (where it is saved)
    recommend     lists (printing); for somebody new: visitor
    similar       lists
    explain
    spark         train and lists on a cluster

What several commands share: options (each declared once), reading (how a source is read), titles (from what is
written to an item), terminal (facts, tables, words for numbers).
"""

from alsatian.cli.app import main, run

__all__ = ["main", "run"]
