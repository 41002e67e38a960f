"""Stochastic gradient descent: biased matrix factorization and SVD++."""
