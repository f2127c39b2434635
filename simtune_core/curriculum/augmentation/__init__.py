"""Augmentation: changed copies of pairs, linked to their parents, and a report of what they do to the set."""
