"""What a training is told: its settings, which import nothing heavy, so that the command line can list them."""
