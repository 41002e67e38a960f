"""The compiled kernels, one module per family. `reference/` has the NumPy twin of each kernel under the same name.

The wrappers allocate outputs and choose the number of threads; all arithmetic is in `cpp/`. Arrays must be C-contiguous
and have the types of the signatures. A wrong type or number of dimensions raises TypeError. Inconsistent shapes and
indices out of bounds raise ValueError. Kernels draw no random numbers, print nothing and release the GIL. The result is
bitwise the same with any number of threads (`threads`: see `types.usable_threads`). Ctrl-C raises KeyboardInterrupt;
outputs are then incomplete.
"""
