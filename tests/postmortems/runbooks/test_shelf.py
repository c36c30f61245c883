"""A folder of runbooks, and what is wrong with it."""

from pathlib import Path

import pytest
from sereno_postmortems.runbooks import Shelf, ShelfUnreadable, UnknownRunbook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shelf with an alert's runbook, an SLO's, a README, and something secret beside it."""
    (tmp_path / "secret.md").write_text("secret")
    folder = tmp_path / "runbooks"
    (folder / "shop").mkdir(parents=True)
    (folder / "README.md").write_text("# Runbooks\n")
    (folder / "NodeDiskFilling.md").write_text("# NodeDiskFilling\n")
    (folder / "shop/latency.md").write_text("# shop / latency\n")
    return folder


def test_runbooks_are_found_by_name(folder: Path) -> None:
    """An alert's and an SLO's."""
    shelf = Shelf(folder)
    assert shelf.of_alert("NodeDiskFilling").text == "# NodeDiskFilling\n"
    own = shelf.of_slo("shop", "latency")
    assert own is not None
    assert own.path == folder / "shop/latency.md"
    assert shelf.of_slo("shop", "availability") is None
    assert shelf.of_slo("other", "latency") is None


@pytest.mark.parametrize("name", ["../secret", "shop/latency", "README", "", ".", "NodeDiskFilling.md", "a\x00b"])
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    """Names come from alerts: only those of files on the shelf are found."""
    with pytest.raises(UnknownRunbook):
        Shelf(folder).of_alert(name)
    for service, slo in [("..", "secret"), (".", "NodeDiskFilling"), (name, "latency"), ("shop", name)]:
        assert Shelf(folder).of_slo(service, slo) is None


@pytest.mark.parametrize("name", ["nodediskfilling", "NodeDiskFiling", "NodeDiskFull"])
def test_a_slip_of_the_pen_gets_the_nearest_names(folder: Path, name: str) -> None:
    """Capitals don't matter to what is near."""
    with pytest.raises(UnknownRunbook) as error:
        Shelf(folder).of_alert(name)
    assert error.value.nearest == ("NodeDiskFilling",)


def test_no_folder(tmp_path: Path) -> None:
    """A shelf that isn't there is told with its name."""
    with pytest.raises(ShelfUnreadable, match="nowhere: No such file"):
        Shelf(tmp_path / "nowhere").of_alert("A")


def test_broken_bytes_and_signs_that_steer_are_shown(folder: Path) -> None:
    """A file with wrong bytes is read all the same; escapes and writing directions are shown, not obeyed."""
    (folder / "Broken.md").write_bytes(b"\xef\xbb\xbf# B\r\n\xff \x1b[2J \xe2\x80\xae \xe2\x9c\x8d\xef\xb8\x8f\t.\n")
    assert Shelf(folder).of_alert("Broken").text == "# B\n\ufffd \\x1b[2J \\u202e \u270d\ufe0f\t.\n"
