"""An exporter that can't run here, from a recording: counters grow with each scrape, everything else stays."""

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def running_recorded(text: str) -> Iterator[str]:
    """The address of a server that answers with the recording. Samples that grow end with `+`, as in `requests 5+`."""
    scrapes = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scrape = next(scrapes)
            grown = re.sub(r" ([\d.e]+)\+$", lambda found: f" {float(found[1]) * scrape}", text, flags=re.MULTILINE)
            body = grown.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
