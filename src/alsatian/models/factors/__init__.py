"""What models of user and item factors share: scores, cold start, similar items."""
