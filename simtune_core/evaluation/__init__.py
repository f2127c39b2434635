"""Metrics, thresholds and uncertainty of similarity scores, and the job that evaluates encoders with them."""
