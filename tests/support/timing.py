"""Tests that measure seconds ("SIGTERM ends it within two"), and tests that take many, on two cores that others use."""

import os

import pytest

timed = pytest.mark.flaky(reruns=2)
"""Marks a test that measures how long a real process takes: too slow is what is too slow three times in a row.

The bound is the promise and stays; a program that waits for a timeout is late every time, a busy machine isn't. The
test needs fixtures of its own for each attempt: function scope, or what an attempt can be repeated on.
"""

takes_long = pytest.mark.skipif(os.environ.get("SERENO_TESTS") != "all", reason="takes long: make test-all")
"""Marks a test that takes minutes and is much like one that `make test` has."""
