"""Describe data, and check it for problems.

value_type      ratings or amounts, and the models that suit them
profile         counts, a histogram, quantiles, the most popular items
data_checks     likely problems, in sentences that say what to do
"""
