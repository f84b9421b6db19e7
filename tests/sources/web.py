"""Real web servers for the tests of sources, each in a thread of its own."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """A handler that says nothing; `over` is set when the test is over, so what waits can end."""

    protocol_version = "HTTP/1.1"
    over: threading.Event

    def answer(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        """Answer; an underscore in the name of a header stands for a hyphen."""
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def sent(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what half of these tests are about."""


@contextmanager
def serving(handler: type[Handler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve until the end of the block; yield the URL without a slash at its end."""
    over = threading.Event()
    server = Server(("127.0.0.1", 0), type("Bound", (handler,), {"over": over}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def answering(answer: Callable[[Handler], None]) -> type[Handler]:
    """Return a handler that has `answer` answer whatever is asked."""
    methods = dict.fromkeys(("do_GET", "do_HEAD", "do_POST", "do_PUT", "do_PATCH", "do_DELETE", "do_OPTIONS"), answer)
    return type("Answering", (Handler,), methods)


def echo(handler: Handler) -> None:
    """Answer with what was asked, as JSON: method, path, headers in lower case, body."""
    headers = {name.lower(): value for name, value in handler.headers.items()}
    said = {"method": handler.command, "path": handler.path, "headers": headers, "body": handler.sent().decode()}
    handler.answer(200, json.dumps(said), Content_Type="application/json")
