"""Which requests break when the backends of an instrumentation raise."""
