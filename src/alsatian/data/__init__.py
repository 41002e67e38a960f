"""The data model: ids, interactions, the catalog, recipes and filters."""
