"""Run the command line as `python -m alsatian`."""

from alsatian.cli import main

if __name__ == "__main__":
    main()
