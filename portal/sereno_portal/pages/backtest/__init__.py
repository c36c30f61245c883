"""`/backtest`: which pages and tickets another objective would have sent."""

from sereno_portal.pages.backtest.routes import router

__all__ = ["router"]
