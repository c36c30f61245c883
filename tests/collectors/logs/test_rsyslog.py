"""What the real rsyslog writes is collected; see docs/logs/formats.md."""

import os
import shutil
import socket
import subprocess

import pytest
from support.collecting import Bench
from support.ports import free_port
from support.waiting import wait_for

RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SENT = (
    b'<165>1 2026-11-25T12:00:00.003Z web-1 shop 17 ID47 - {"level":"warn","msg":"payment slow"}',
    b"<34>Nov 25 12:00:00 web-1 shop[17]: failed for bob",
)


@pytest.mark.skipif(RSYSLOGD is None, reason="rsyslogd is not installed")
def test_messages_of_both_forms_come_through_rsyslog(bench: Bench) -> None:
    """The configuration of the documentation writes one file for each program, and its lines are understood."""
    port = free_port()
    folder = bench.folder
    (folder / "rsyslog.conf").write_text(
        f"""global(workDirectory="{folder}")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{port}")
template(name="PerProgram" type="string" string="{folder}/%programname%.log")
action(type="omfile" dynaFile="PerProgram" template="RSYSLOG_FileFormat")
"""
    )
    written = folder / "shop.log"
    command = [str(RSYSLOGD), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "rsyslog.pid")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

                def has_arrived() -> bool:
                    for message in SENT:  # until it listens, datagrams are lost
                        sender.sendto(message, ("127.0.0.1", port))
                    return written.exists() and written.read_bytes().count(b"\n") >= len(SENT)

                wait_for(has_arrived, what="rsyslog writes what it gets")
        finally:
            daemon.terminate()
            daemon.wait(10)
    bench.start("shop.log")
    bench.drain()
    found = {(record.message, record.level, record.service, record.timestamp.hour) for record in bench.stored()}
    assert found == {("payment slow", "warning", "shop", 12), ("failed for bob", "info", "shop", 12)}
