"""A report: one shareable HTML page about data and models.

builder          report: checks the request, evaluates and fits the models
report_page      the page, section by section
data_section     the data                       model_tables     metrics with intervals, and verdicts
fitted_models    the models that were fitted    popularity_bias  popularity of recommended and consumed items
sample_lists     sample users and items         tuning_section   a search, in charts
charts           other charts                   reproduction     commands that reproduce the report
"""

from alsatian.reporting.builder import Report, report

__all__ = ["Report", "report"]
