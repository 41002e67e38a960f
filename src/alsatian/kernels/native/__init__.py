"""The compiled kernels, one module for each family; `reference/` has the NumPy twin of each under the same name.

The wrappers allocate outputs and choose the number of threads; all arithmetic is in `cpp/`. Arrays must be C-contiguous
and have the types of the signatures. A wrong type or number of dimensions raises TypeError; shapes that do not fit each
other and indices out of bounds raise ValueError. A kernel draws no random numbers and prints nothing, releases the GIL,
and gives the same bits with any number of threads (`threads`: as `types.usable_threads` takes it). Ctrl-C raises
KeyboardInterrupt and leaves outputs half written.
"""
