"""How fast striate is, measured beside its peers: ``python -m benchmarks --help``."""
