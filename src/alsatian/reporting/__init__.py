"""One page of HTML about some data and models of it, to be shown to others.

making.py      report: what is asked for, checked, judged and fitted
composing.py   the page, section by section
overview.py    of the data                 tables.py      models with intervals, and verdicts
entries.py     models that were fitted     popularity.py  recommended beside consumed
eye_test.py    people and items            searches.py    a search, in pictures
drawings.py    other pictures              again.py       how to make it again
"""

from alsatian.reporting.making import Report, report

__all__ = ["Report", "report"]
