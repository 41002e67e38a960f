"""The interface of every model: ids in, ranked items out."""
