"""Is a tuned model really in the forward pass: inspection of a live model, and coded checks over it."""
