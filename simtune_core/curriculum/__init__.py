"""From all pairs of a record set to a pair set in phases: easy, medium, hard."""
