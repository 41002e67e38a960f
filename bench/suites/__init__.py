"""Suites: what the pages under docs/ quote, and what is measured beside other libraries."""
