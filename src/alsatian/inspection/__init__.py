"""What is in data, and what may be wrong with it.

value_type.py     ratings or amounts, and which models suit them
profile.py    counts, a histogram, quantiles, the most popular items
data_checks.py   what is suspicious, in sentences that say what to do
"""
