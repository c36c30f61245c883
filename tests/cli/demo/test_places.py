"""Ports of demos that run side by side."""

import socket

import pytest
from sereno_cli.demo import places
from sereno_cli.demo.places import DemoError, free_addresses


def test_two_demos_choose_no_port_in_common() -> None:
    """Also before anybody listens on theirs."""
    names = [f"part-{number}" for number in range(100)]
    with free_addresses(names) as one, free_addresses(names) as other:
        chosen = [*one.ports.values(), *other.ports.values()]
        assert len(set(chosen)) == 200
        assert list(one.ports) == names


def test_a_port_that_somebody_listens_on_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its block a demo takes those that are free."""
    with free_addresses(["probe"]) as probe:
        block = probe.port("probe") - probe.port("probe") % places._BLOCK_PORTS
    monkeypatch.setattr(places, "_BLOCKS", range(block, block + 1))
    with socket.create_server(("127.0.0.1", block + 1)), free_addresses(["part"]) as addresses:
        assert addresses.port("part") > block + 1


def test_too_many_ports_and_too_many_demos_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are errors with words."""
    with pytest.raises(DemoError, match="1000 ports are needed"), free_addresses(map(str, range(1000))):
        pass
    with free_addresses(["a"]) as taken:
        block = taken.port("a") - taken.port("a") % places._BLOCK_PORTS
        monkeypatch.setattr(places, "_BLOCKS", range(block, block + 1))
        with pytest.raises(DemoError, match="belong to other demos"), free_addresses(["b"]):
            pass
