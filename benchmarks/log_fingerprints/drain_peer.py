"""Groups messages by drain3; run by the Python of an environment that has it, and nothing of Sereno's.

Standard input: a JSON list of messages. Standard output: for its default settings and for settings with masks, the
number of each message's group and the CPU seconds that all of them took.
"""

import json
import sys
import time

from drain3 import TemplateMiner  # type: ignore[import-not-found]
from drain3.masking import MaskingInstruction  # type: ignore[import-not-found]
from drain3.template_miner_config import TemplateMinerConfig  # type: ignore[import-not-found]

# The masks of drain3's own example configuration, by what they find.
MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
)


def grouped(messages: list[str], *, masked: bool) -> dict[str, object]:
    """The group of each message after all have been learnt, as a reader of drain3's clusters would see it."""
    config = TemplateMinerConfig()
    config.load("")
    config.profiling_enabled = False
    if masked:
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    miner = TemplateMiner(config=config)
    begun = time.process_time()
    groups = [miner.add_log_message(message)["cluster_id"] for message in messages]
    return {"groups": groups, "seconds": time.process_time() - begun}


def main() -> None:
    """Read, group, tell."""
    messages = json.load(sys.stdin)
    told = {name: grouped(messages, masked=masked) for name, masked in (("drain3", False), ("drain3, masked", True))}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
