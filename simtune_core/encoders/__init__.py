"""Encoders: what can be loaded and from where, how it is loaded, and the unit vectors it gives."""
