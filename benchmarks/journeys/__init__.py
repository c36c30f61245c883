"""How right a journey's error ratio is: simulated users pass through steps, compiled rules see only counters."""
