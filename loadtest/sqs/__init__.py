"""A queue for long runs: SQS as the service sees it, at a cost that does not grow with a backlog.

MiniStack walks through all its messages for each entry of each call, so a run of a million would
measure MiniStack. This one passes the same contract suite, and does what SQS does and the emulators
do not: a delete with an outdated receipt succeeds without effect.
"""
