"""BiasedMF and SVD++: matrix factorization by stochastic gradient descent."""
