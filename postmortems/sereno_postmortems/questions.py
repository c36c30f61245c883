"""The questions that every postmortem answers."""

AFFECTED = "Which services were affected?"
CAUSE = "What caused it?"
ATTACK = "Do logs, traces and metrics show degradation or an attack?"
RESTORATION = "How was service restored?"
CHANGE = "What must change so that it does not happen again?"

QUESTIONS = (AFFECTED, CAUSE, ATTACK, RESTORATION, CHANGE)
