"""One module a workflow rule, of the same name; each is thin and runs alone as `python -m nextchapter.stages.RULE`."""
