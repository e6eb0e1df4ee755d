"""Interactive pages: a model to explore in a browser, and a network that learns there."""
