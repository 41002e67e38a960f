"""Studies: single investigations, each behind a default or a sentence of the documentation."""
