"""The fast path: from a network to tables of kernel calls, and threads that run them."""
