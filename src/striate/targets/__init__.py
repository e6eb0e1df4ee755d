"""Programs for elsewhere: the same rows and kernels, bound to other memory and compiled for other processors."""
