"""Pages that compute: a model to be explored in a browser, and a network that learns there."""
