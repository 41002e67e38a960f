"""Measurements of Alsatian: suites, studies, and the comparison of two commits. `python -m bench` lists them.

suites/    speed, memory and accuracy, most of them beside other libraries; the pages under docs/ quote them
studies/   single investigations, each behind a default or a sentence of the documentation
commits/   two commits measured in turn on one machine
peers/     adapters to the libraries measured; each runs in a process and an environment of its own
results/   what the suites measured last, as JSON

Environments, data sets and trials are cached under .bench.
"""
