"""Whether the pairs of a set deserve their labels: an estimate of the noise in them, and edits by hand."""
