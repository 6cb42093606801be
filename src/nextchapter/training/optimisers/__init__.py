"""Optimisers, one file each, found by name: `training.optimiser: muon` is the module `muon`.

A module has one function, `build(model, spec)`, which returns a `torch.optim.Optimizer` over all trained parameters.
The trainer sets `lr` of each of its groups before each step.
"""
