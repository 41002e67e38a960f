"""Reading: files, folders, frames and databases become Interactions, with every row accounted for."""

from alsatian.ingest import samples
from alsatian.ingest.reading import read

__all__ = ["read", "samples"]
