"""A real server on this machine that answers ``/v1/embeddings`` well or badly, as a test asks."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WIDTH = 3


def embedding(text: str, width: int = WIDTH) -> list[float]:
    """What the server's model makes of a text."""
    return [float(len(text)), float(text.count("a")), float(sum(map(ord, text)) % 7)][:width] + [1.0] * (width - WIDTH)


@dataclass
class Script:
    """``faults``: what goes wrong in the first requests, one each; later ones are answered well."""

    faults: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of refusals
    seconds: float = 0.0  # that each answer takes
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    at_once: int = 0  # most requests that were open together
    url: str = ""


@contextmanager
def serving(script: Script) -> Iterator[Script]:
    lock = threading.Lock()
    open_requests = 0

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            nonlocal open_requests
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                fault = script.faults.pop(0) if script.faults else ""
                script.requests.append(body)
                script.keys.append(self.headers["Authorization"])
                script.times.append(time.monotonic())
                open_requests += 1
                script.at_once = max(script.at_once, open_requests)
            time.sleep(script.seconds)
            status, content = answer(body["input"], fault)
            with lock:
                open_requests -= 1
            if fault == "disconnect":
                return
            try:
                self.send_response(status)
                for name, value in (script.headers if status != 200 else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):  # the client's time was out
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()


def answer(texts: list[str], fault: str) -> tuple[int, bytes]:
    if fault.isdigit():
        return int(fault), b'{"error": {"message": "the key secret-key did this"}}'
    if fault == "no json":
        return 200, b"<html>Bad gateway</html>"
    if fault == "late":
        time.sleep(1)
    rows = [{"index": n, "embedding": embedding(text)} for n, text in enumerate(texts)]
    if fault == "too few":
        rows.pop()
    elif fault == "repeated":
        rows[-1]["index"] = 0
    elif fault == "wider":
        rows = [{"index": n, "embedding": embedding(text, 4)} for n, text in enumerate(texts)]
    elif fault == "ragged":
        rows[-1]["embedding"] = [1.0]
    elif fault == "nan":
        rows[-1]["embedding"] = [float("nan")] * WIDTH
    elif fault == "null":
        rows[-1]["embedding"] = None
    elif fault == "no data":
        return 200, b'{"object": "list"}'
    rows.reverse()  # the order is that of the indices, not of the list
    return 200, json.dumps({"data": rows, "usage": {"total_tokens": 2 * len(texts)}}).encode()
