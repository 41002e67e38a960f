"""The kernels in NumPy, simple and slow: the twin of each native kernel, with the same name in the same file.

Tests compare the two. `native/` documents what they compute. A twin does not check its arguments, and ignores
`threads`.
"""
