"""Where rows come from: files, data frames, databases, Arrow streams."""
