"""Foreign tables in: columns guessed and changeable, every fault listed with its row, then a dataset."""
