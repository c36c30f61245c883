"""How exact is the error budget? Simulated months with known truth, through the real engine, beside the peers."""
