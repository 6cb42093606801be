"""Synthetic memory tasks: how long a gap a network learns to bridge. One file a task, found by name.

The module `temporal_order` has `TASK`, a `Task`, for the key `temporal_order`. What each asks: docs/memory-tasks.md.
"""
