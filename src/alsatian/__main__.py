"""`python -m alsatian` is the command `alsatian`."""

from alsatian.cli import main

main()
