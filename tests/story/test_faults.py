"""What can be broken: enough of it in every system, and each kind."""

from pathlib import Path

from sereno_cli.demo.systems import FULL, Done, System, full_ids, read_system

REPOSITORY = Path(__file__).parents[2]


def test_each_system_can_be_broken_in_every_way_that_matters() -> None:
    """At least four faults: a slow one, a part or server that is gone, one that the logs alone tell; twenty in all."""
    systems = [
        read_system(REPOSITORY / "systems" / name.removesuffix(FULL), full=name.endswith(FULL))
        for name in full_ids(REPOSITORY)
    ]
    assert len(systems) == 5
    count = 0
    for system in systems:
        assert isinstance(system, System), system
        count += len(system.faults)
        assert len(system.faults) >= 4, system.name
        assert any(fault.is_slow for fault in system.faults), system.name
        assert any(not fault.expects.alert for fault in system.faults), system.name
        assert any(isinstance(fault.switch, Done) or "gone" in fault.name for fault in system.faults), system.name
    assert count >= 20
