"""How long a backtest takes, and what it needs (docs/backtest.md)."""
