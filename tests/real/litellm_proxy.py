"""A real LiteLLM proxy on loopback, from the environment that `make peers` makes."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from patience import patient

_PEERS = Path(__file__).parents[2] / ".venv-peers"
INSTALLED = (_PEERS / ".ready").exists()
"""Whether `make peers` came to its end."""
MASTER_KEY = "sk-master-of-the-gateway"
_PATIENCE_S = patient(60.0)
_DISCARD_PORT = "http://127.0.0.1:9"
"""Nobody listens there (RFC 863): what would leave this machine fails at once."""


@asynccontextmanager
async def litellm_proxy(
    folder: Path, models: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[str]:
    """Return the base URL of a proxy that serves `models`: by name, LiteLLM's parameters of each.

    It has no database, sends no telemetry and reaches nothing but loopback. It is told to
    `cancel_on_disconnect`: else it lets a request go on, and be paid for, whose client hung up
    before the first token (1.106.2: for more than 20 s).
    """
    config = folder / "config.yaml"
    # JSON is YAML.
    config.write_text(
        json.dumps(
            {
                "model_list": [
                    {"model_name": name, "litellm_params": dict(parameters)}
                    for name, parameters in models.items()
                ],
                "litellm_settings": {"num_retries": 0, "telemetry": False},
                "router_settings": {"num_retries": 0, "disable_cooldowns": True},
                "general_settings": {"master_key": MASTER_KEY, "cancel_on_disconnect": True},
            }
        )
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DISABLE_ADMIN_UI": "True",
        "HTTP_PROXY": _DISCARD_PORT,
        "HTTPS_PROXY": _DISCARD_PORT,
        "NO_PROXY": "127.0.0.1",
    }
    process = await asyncio.create_subprocess_exec(
        str(_PEERS / "bin" / "litellm"),
        *("--config", str(config), "--host", "127.0.0.1", "--port", "0"),
        *("--num_workers", "1", "--telemetry", "False"),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = _Output(process)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            url = await output.url
        yield f"{url}/v1"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await output.reading


class _Output:
    """Reads what the process says, as long as it says something."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.reading = asyncio.ensure_future(self._read(process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        last: deque[str] = deque(maxlen=30)
        assert process.stdout is not None
        async for line in process.stdout:
            said = line.decode("utf-8", "replace")
            last.append(said)
            _, found, rest = said.partition("Uvicorn running on ")
            if found and not self.url.done():
                self.url.set_result(rest.split()[0])
        if not self.url.done():
            self.url.set_exception(RuntimeError("LiteLLM did not start:\n" + "".join(last)))
