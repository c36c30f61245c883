"""The SLO compiler: source, parse, validate, model, plan, render; pure, no network."""
