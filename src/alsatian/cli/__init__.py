"""The command line: a module per command; nothing heavy is imported before a command runs."""

from alsatian.cli.app import main, run

__all__ = ["main", "run"]
