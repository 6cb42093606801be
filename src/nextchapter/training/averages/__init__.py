"""Averages of the weights along a run, one file each, found by name: `training.average: ema` is the module `ema`."""
