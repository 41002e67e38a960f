"""What several test files share: data, models in many settings, laws, oracles, a browser."""
