"""Models without personal taste: popularity, mean and biases."""
