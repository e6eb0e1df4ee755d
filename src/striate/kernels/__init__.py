"""The fast twin of every operation: Numba kernels in float32, samples in the lanes.

Importing this package costs nothing; Numba is imported when a kernel must be compiled.
"""
