"""What stands for the cross-entropy while training, one file each, found by name; each has one class, `LOSS`."""
