"""What every drawing shares: axes of matplotlib, mosaics of tiles, numbers as pictures."""
