"""The settings of a training; they import nothing heavy, so that the command line can list them."""
