"""Language models as state machines: the protocol, its stream scorer, the registry, and one file a family."""
