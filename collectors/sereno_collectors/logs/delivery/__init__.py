"""The back half of the collector: from the queue into the store, or to the dead letters."""
