"""How often `SerenoQuotaRunsOut` is wrong, and how soon it is right."""
