"""An OpenAI-compatible server on this machine, for tests: it answers by a rule of its own, and fails when told to."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "tiny-chef"
KEY = "sk-planted-0123456789abcdef"


class Chef(ThreadingHTTPServer):
    """`faults` are done first, one a request: a status, "garbage", "truncated", "slow", "silly", "wrong model"."""

    daemon_threads = True

    def __init__(self, faults=(), rule=None, refuses=()):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.rule, self.refuses = list(faults), rule or helpful, refuses
        self.seen: list[dict] = []
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request, client_address):
        """Whoever was not waited for has hung up."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def helpful(text):
    """A cook's rule of thumb, as an answer to a situation in words."""
    options = text.partition("Options:\n")[2].splitlines()
    for wanted in ("deliver", "plate soup", "put in pot", "hand over", "pick soup"):
        for line in options:
            if wanted in line:
                return line.split(".")[0]
    errand = "get dish" if "ready" in text and "Your partner holds a dish" not in text else "get onion"
    return next((line.split(".")[0] for line in options if errand in line), "1")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            fault = self.server.faults.pop(0) if self.server.faults else None
        if any(name in body for name in self.server.refuses):
            fault = 400
        key = self.headers["Authorization"]
        if fault == "slow":
            time.sleep(1.5)
        if isinstance(fault, int):
            self.reply(fault, {"error": {"message": f"no, not with {key}", "type": "fault"}})
        elif fault == "garbage":
            self.send(200, b"<html>bad gateway</html>")
        elif fault == "truncated":
            self.send(200, json.dumps(answer("1", MODEL)).encode(), cut=20)
        else:
            text = (
                f"perhaps 1 or 2, {key}?" if fault == "silly" else self.server.rule(body["messages"][:2][-1]["content"])
            )
            self.reply(200, answer(text, "other-model" if fault == "wrong model" else f"{MODEL}-2026"))

    def reply(self, status, table):
        self.send(status, json.dumps(table).encode())

    def send(self, status, body, cut=0):
        """Header and body in one write: two cost 40 ms of delayed acknowledgement."""
        wait = b"Retry-After: 0\r\n" if status == 429 else b""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()
        self.wfile.write(head + wait + b"\r\n" + body[: len(body) - cut])
        self.wfile.flush()
        if cut:
            self.close_connection = True


def answer(text, model):
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }
