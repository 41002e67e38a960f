"""Reading: files, folders, frames and databases become Interactions, with every row accounted for.

`reader.read` leads the way; a reading goes through these modules, from top to bottom.

    sources/          what every input becomes first: rows that DuckDB can select from
      source            one input; files: paths, globs, compression; typed files such as Parquet
      delimited         CSV and the like, all fields as text; dialect: delimiter, quotes, header; lines: line numbers
      json_lines        one JSON object a line
      frames            pandas, and all that gives an Arrow stream
      sql               databases
      arrow_stream      the rows as they come out of DuckDB
    formats/          published layouts: the folders of GroupLens, a log of articles
    column_names      the usual names of columns
    rows/             from cells to typed, checked rows
      roles             which column is the user, which the item ...: by name, or as the caller says
      casts             how the cells of a role become typed values, and when one is bad
      fast_csv          the fast path: a plain text file's bytes, straight into columns
      row_filter        `where`, over columns whose cells may still be text
      validation        every row is kept, or has the first check that it failed
      column_buffers    the columns that rows fill
      rejects           what is said about bad rows, and where the first one is
    recipe_columns    what a recipe asks of rows: columns, events, the value of each
    extra_rows        rows that are appended to those of a source
    id_numbering      ids become row numbers
    assemble          the rest: values, times, the rule for duplicates, the report
    item_table        tables of items: titles and attributes for the catalog
"""

from alsatian.ingest.reader import read

__all__ = ["read"]
