"""A model, or a run that is training, over HTTP: predictions, explanations, live curves, the explorer."""
