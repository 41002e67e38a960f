"""Workers: each is run as `python -m peers.NAME job.json result.json` by the Python of its own environment."""
