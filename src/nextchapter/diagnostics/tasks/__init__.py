"""Synthetic memory tasks: how long a gap a network learns to bridge. One file a task, found by name.

A module `temporal_order` has `TASK`, a `Task`; `kind: temporal-order` names it. What each asks: docs/memory-tasks.md.
"""
