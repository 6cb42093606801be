"""What trained models have learnt, and where they fail."""
