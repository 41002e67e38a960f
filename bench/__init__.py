"""Measurements of Alsatian: suites and studies. `python -m bench` lists them.

suites/    speed, memory and accuracy, most of them beside other libraries; the pages under docs/ quote them
studies/   single investigations, each behind a default or a sentence of the documentation
peers/     adapters to the libraries measured; each runs in a process and an environment of its own
results/   what the suites measured last, as JSON

Environments, data sets and trials are cached under .bench.
"""
