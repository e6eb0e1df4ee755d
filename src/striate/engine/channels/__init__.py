"""The layout with channels in the lanes, for one sample or a few: see ``docs/engine.md``."""
