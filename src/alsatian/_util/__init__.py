"""Small tools without a subject of their own: text, formatting, files, tables, progress."""
