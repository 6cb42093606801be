"""Output layers that take the softmax's place, one file each, found by name; each has one class, `OUTPUT`."""
