"""DORA's figures, folded from DevOps events: each deployment with its verdict, the rule and the evidence.

Pure from events to figures: `history` (what the events say; `services` and `blame` keep it up to date as more come) →
`verdicts` (which deployments failed, and why) → `figures` (counted over windows). `kind` is the exporter; definitions,
with their sources, are in docs/dora.md.
"""
