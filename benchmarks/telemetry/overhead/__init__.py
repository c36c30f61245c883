"""What one request costs more, in CPU time, because it is watched."""
