"""How a log store is: its disks, their growth, and what keeps documents out. Facts and forecasts, no judgement."""
