"""From cells to typed, checked rows: roles, casts, filters, rejects."""
