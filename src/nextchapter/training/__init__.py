"""Training: batches, optimiser and schedule, checkpoints, devices, and the loop that joins them."""
