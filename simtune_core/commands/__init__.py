"""The commands of `python -m simtune_core` beside the path itself, and the options that all of them share."""
