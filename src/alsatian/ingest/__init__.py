"""Read files, folders, frames and databases into Interactions, with every row accounted for.

`reader.read` is the entry point. Reading goes through these modules from top to bottom.

    sources/          open an input as rows that DuckDB can select from
      source            one input; files: paths, globs, compression; typed files such as Parquet
      delimited         CSV and the like, all fields as text; dialect: delimiter, quotes, header; lines: line numbers
      json_lines        one JSON object per line
      frames            pandas, and every object with an Arrow stream
      sql               databases
      arrow_stream      the rows of a DuckDB query as NumPy arrays
    formats/          published layouts: the folders of GroupLens, a log of articles
    column_names      the usual names of columns
    rows/             from cells to typed, checked rows
      roles             the column of each role (user, item ...): by name, or as the caller says
      casts             SQL that converts the cells of a role to typed values, and its checks
      fast_csv          the fast path: parse the bytes of plain text files directly into columns
      row_filter        `where`, over columns whose cells may still be text
      validation        check all rows, and find the first failed check of each bad row
      column_buffers    buffers that collect the kept rows into columns
      rejects           the error message about bad rows
    recipe_columns    the columns that a recipe needs, and the value of each row
    extra_rows        rows that are appended to those of a source
    id_numbering      convert ids to row numbers
    assemble          build Interactions: values, times, duplicates, the report
    item_table        tables of items: titles and attributes for the catalog
"""

from alsatian.ingest.reader import read

__all__ = ["read"]
