"""All pairs of a record set in one similarity space: counted exactly, sampled uniformly; knows no phase."""
