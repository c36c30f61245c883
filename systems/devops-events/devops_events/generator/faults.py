"""The faults that platforms can have."""

from collections.abc import Callable

from reference_system.disturbance import RATIO
from reference_system.faults import FaultKind, Faults, Share

from devops_events.generator.platforms.form import Document

SCHEMA_CHANGED = FaultKind(
    "schema-changed", "GitHub names repositories in another way, which nobody has told us.", (RATIO,)
)

KINDS = (SCHEMA_CHANGED,)


def changed(faults: Faults) -> Callable[[str, Document], Document]:
    """What a platform does to its documents before it sends them."""
    share = Share()

    def change(platform: str, document: Document) -> Document:
        active = faults.active(SCHEMA_CHANGED)
        if platform != "github" or active is None or not share.takes(active.settings["ratio"]):
            return document
        return {**document, "repository": {"slug": document["repository"]["full_name"], "schema": 2}}

    return change
