"""Whether training on one pair set can help on another, found out before anything is trained."""
