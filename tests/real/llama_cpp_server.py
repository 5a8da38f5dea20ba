"""A real llama.cpp server on loopback: `python llama_cpp_server.py FILE.gguf TOKENS`.

Says its URL on standard output and ends when standard input does.
"""

import os
import sys

import xllamacpp


def main() -> None:
    path, context_window = sys.argv[1:]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.model_alias = {"smollm2"}
    parameters.port = 0
    parameters.n_ctx = int(context_window)
    parameters.n_parallel = 1
    parameters.n_batch = parameters.n_ubatch = 128
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.fit_params = False
    parameters.offline = True
    parameters.verbosity = 1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # llama.cpp's threads would keep Python's own ending waiting for ever


if __name__ == "__main__":
    main()
