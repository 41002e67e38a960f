"""Adapters ("workers") to the libraries that are measured.

Each is run as `python -m bench.peers.NAME job.json result.json` by the Python of its own environment, in which Alsatian
is not installed: outside `alsatian.py` an adapter imports its library, NumPy, and NumPy-only modules of this package.
"""
