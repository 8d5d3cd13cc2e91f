"""A server on this machine, and the ways to fail that are the same for whatever it serves."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FailingWays:
    """What the handlers of the miniature servers share, beside a `BaseHTTPRequestHandler`."""

    def leaves(self, way: str) -> bool:
        """Do what `way` asks for before there is an answer; tell whether there will be none."""
        if way == "missing":
            self.send_error(404)
        elif way == "silent":
            self.server.stop.wait(30)
        elif way == "together":
            self.server.barrier.wait(30)
        return way in ("missing", "silent")

    def log_message(self, *args):
        """Keep the test's output clean."""


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]):
    """Run a server: `requests` is for the handler to fill, `stop` is set when the test ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.requests = []
    server.stop = threading.Event()
    server.barrier = threading.Barrier(2)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()
