"""See why: the arithmetic of layers, back-propagation, filtering and descent, number by number."""
