"""The watcher counts what users feel: how the gateway answered, and whether what was accepted is stored in time."""
