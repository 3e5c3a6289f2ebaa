"""An embeddings server on loopback, and cosine by it."""

import base64
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np

import graders
from graders.clients.embedding import ServerEmbedder
from graders.profile import Profile
from metrics import Settings

CONFIG = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "cosine",
}
KEY = "sk-secret-of-mine"


def vector(text):
    """Eight numbers of either sign that a text determines, in single precision."""
    return np.random.default_rng(list(text.encode())).normal(size=8).astype(np.float32)


def embeddings(texts, *, as_base64=True, vector=vector):
    """A whole answer, its entries in another order than the texts."""
    data = []
    for index, text in enumerate(texts):
        numbers = np.asarray(vector(text))
        single = base64.b64encode(numbers.astype("<f4").tobytes()).decode()
        entry = single if as_base64 else numbers.tolist()
        data.append({"object": "embedding", "index": index, "embedding": entry})
    return {"object": "list", "model": "m", "data": data[::-1], "usage": {}}


@contextmanager
def serving(answer=embeddings):
    """A server that answers with a function of the texts: an object, or a status and an object."""
    asked, heads = [], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body["input"])
            heads.append((self.path, body["model"], self.headers["authorization"]))
            made = answer(body["input"])
            status, made = made if isinstance(made, tuple) else (200, made)
            data = made if isinstance(made, bytes) else json.dumps(made).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    embedder = ServerEmbedder(model="m", base_url=url, api_key=KEY, retries=0)
    try:
        yield embedder, asked, heads
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def graded(embedder, *pairs, **config):
    profile = Profile(metrics=Settings(cosine=embedder))
    rows = [{"item": {"answer": reference}, "sample": text} for text, reference in pairs]
    return graders.grade({**CONFIG, **config}, rows, profile=profile)


def host(embedder):
    return f"http://{embedder.name.partition('@')[2]}/v1"


def numpy_cosine(one, other):
    a, b = (np.asarray(vector(text), dtype=np.float64) for text in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
