"""Draws docs/pictures/demo.svg: the demo's own screen, with a fault switched on, after the page has come.

python scripts/demo-picture.py
"""

import io
import re
import subprocess
import tempfile
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from sereno_backends.prometheus import PrometheusClient
from sereno_cli.demo.budget import budgets
from sereno_cli.demo.screen import screen
from sereno_cli.demo.world import running_world

CLONE = Path(__file__).resolve().parents[1]
PICTURE = CLONE / "docs" / "pictures" / "demo.svg"
# rich's own format loads a font from the network; a page of ours loads nothing.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
LONGEST_WAIT_SECONDS = 240


def main() -> None:
    """Run the demo until a page fires, and draw its screen."""
    with tempfile.TemporaryDirectory() as folder, running_world(CLONE, Path(folder), print) as world:
        subprocess.run([world.places.scripts / "break"], check=True, stdout=subprocess.DEVNULL)
        with PrometheusClient(world.addresses.url("prometheus")) as client:
            deadline = time.monotonic() + LONGEST_WAIT_SECONDS
            while not any(budget.firing for budget in budgets(client, world.services)):
                if time.monotonic() > deadline:
                    raise SystemExit("no page came: nothing was drawn")
                time.sleep(2)
            found = budgets(client, world.services)
        # The width of a usual terminal; where the files lie differs from machine to machine.
        drawn = Console(record=True, width=100, file=io.StringIO())
        drawn.print(screen(world, found))
        text = drawn.export_svg(title="make demo", code_format=FORMAT)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(re.sub(r"(?<=>)[^<]*" + re.escape(Path(folder).name) + r"(/[a-z]+)?", r"var/demo\1", text))


if __name__ == "__main__":
    main()
