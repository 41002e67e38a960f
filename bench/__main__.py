"""The one door to the bench.

python -m bench                           # or --list: what there is, a line each, with its usual duration
python -m bench NAME [options]            # run a suite, a study or a command
python -m bench NAME --help
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import programs


def main(arguments: Sequence[str]) -> None:
    if not arguments or arguments[0] in ("--list", "-l", "--help", "-h"):
        print(programs.listing())
        return
    name, *options = arguments
    try:
        program = programs.program(name)
    except programs.UnknownProgram as error:
        raise SystemExit(f"bench: {error}") from None
    program.main()(options)


if __name__ == "__main__":
    main(sys.argv[1:])
