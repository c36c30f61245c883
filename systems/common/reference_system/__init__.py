"""What Sereno's reference systems do alike: variables, ports, faults that are switched, failures, load."""
