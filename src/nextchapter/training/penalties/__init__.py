"""What is lowered beside the cross-entropy, one file each, found by name; each has one class, `PENALTY`."""
