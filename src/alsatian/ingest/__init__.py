"""Reading: files, folders, frames and databases become Interactions, with every row accounted for.

A reading goes through these modules, from top to bottom; `reading.py` leads the way.

    source        what every input becomes first: rows that DuckDB can select from; how it is opened:
      files         by suffix: paths, globs, compression; typed files such as Parquet
      delimited     CSV and the like, all fields as text     dialect: delimiter, quotes, header     lines: line numbers
      jsonlines     one JSON object a line
      movielens     the folders of GroupLens     deskdrop: a log of articles, their titles beside it
      frames        pandas, and all that gives an Arrow stream
      sql           databases
    columns       which column is the user, which the item ...: by name, or as the caller says
    casts         how the cells of a role become typed values, and when one is bad
    scanning      the short way: a plain text file's bytes, straight into columns
    conditions    `where`, over columns whose cells may still be text
    rows          every row gets a reason: kept, or the first check that it failed
      streams       the rows as they come out of DuckDB     gathering: the columns that they fill
    complaints    what is said about bad rows, and where the first one is
    recipes       what a recipe asks of rows: columns, events, the value of each
    numbering     ids become row numbers
    building      the rest: values, times, the rule for duplicates, the report
    items         tables of items: titles and attributes for the catalog
    samples       named public data sets; download: fetched and checked; rdata: out of a Python package
"""

from alsatian.ingest import samples
from alsatian.ingest.reading import read

__all__ = ["read", "samples"]
