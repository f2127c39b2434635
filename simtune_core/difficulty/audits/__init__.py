"""Coded checks of pair sets before they are believed: leaks, contradictions, shortcuts, unfit texts and labels."""
