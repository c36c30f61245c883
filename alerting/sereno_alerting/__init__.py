"""Who is told: teams → Alertmanager's configuration, and cases that prove on a real Alertmanager what it does."""
