"""What every part speaks of: ids, interactions, the catalog, recipes and filters."""
