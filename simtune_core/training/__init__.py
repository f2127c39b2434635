"""Training of sentence encoders: the head, LoRA and full fine-tuning, and what each run writes down about itself."""
