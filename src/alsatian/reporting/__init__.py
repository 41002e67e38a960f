"""One page of HTML about some data and models of it, to be shown to others.

builder.py      report: what is asked for, checked, judged and fitted
report_page.py   the page, section by section
data_section.py    of the data                 _util/text_table.py      models with intervals, and verdicts
fitted_models.py     models that were fitted     popularity_bias.py  recommended beside consumed
sample_lists.py    sample users and items      tuning_section.py    a search, in pictures
charts.py    other pictures              reproduction.py       how to make it again
"""

from alsatian.reporting.builder import Report, report

__all__ = ["Report", "report"]
