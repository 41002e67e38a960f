"""The contract of every model: ids in, ranked items out."""
