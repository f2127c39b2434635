"""simtune: diagnose, train and evaluate sentence-embedding models for text similarity."""

__version__ = "0.1.0"
