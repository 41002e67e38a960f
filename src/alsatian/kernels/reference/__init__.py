"""The kernels in NumPy, plain, slow and right: the twin of each native one, under the same name in the same file.

Tests hold the two equal, and `native/` says what they compute. A twin checks nothing about its arguments, and accepts
`threads` without using them.
"""
