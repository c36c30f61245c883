"""What the compiled rules record under a live vmalert, which shows a rule's result to the next one late.

A replay can't tell: it waits after each rule. So this one takes as long as it takes: `python -m benchmarks.vmalert`.
"""
