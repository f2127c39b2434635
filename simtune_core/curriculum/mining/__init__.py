"""Hard pairs: negatives near an anchor, pairs that a model gets wrong, positives across categories."""
