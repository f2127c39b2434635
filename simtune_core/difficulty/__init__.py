"""How hard labelled pairs are in a similarity space."""
