"""Foreign files as tables of text: nothing interpreted, nothing shifted, sizes limited."""
