"""Everything on one machine: the supervisor of `make demo` and the story that `make demo-once` tells."""
