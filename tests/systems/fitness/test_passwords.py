"""Passwords of accounts."""

import os
import subprocess
import sys

import pytest
from fitness.users.passwords import hashed, matches

# In a process of its own: what others have allocated before is no part of it.
MANY_AT_ONCE = """
import resource
from concurrent.futures import ThreadPoolExecutor
from fitness.users.passwords import hashed

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(20) as pool:
    assert len(set(pool.map(hashed, ["a password"] * 60))) == 60
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_hash_tells_its_password_from_others() -> None:
    """And no two are alike."""
    kept = hashed("a password")
    assert matches("a password", kept)
    assert not matches("A password", kept)
    assert hashed("a password") != kept


@pytest.mark.skipif(sys.platform != "linux", reason="macOS counts in bytes")
def test_many_log_ins_at_once_take_the_memory_of_two() -> None:
    """Eight megabytes each, kept by each thread that has made one: twenty of them would keep 160."""
    command, environment = [sys.executable, "-c", MANY_AT_ONCE], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 60
