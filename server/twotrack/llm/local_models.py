"""Models for this machine that are larger than the one that comes along, and what they need.

Sizes as Ollama's library lists them, memory with a window of 4096 tokens.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that fills gaps (fill-in-the-middle)."""

    ollama: str
    """Its name in Ollama's library."""
    download_gb: float
    memory_gb: float

    def text(self) -> str:
        """Say in a line what it needs and how to get it."""
        need = f"{self.download_gb:g} GB, {self.memory_gb:g} GB of memory"
        return f"{self.ollama} ({need}): ollama pull {self.ollama}"


LARGER = (
    LocalModel("qwen2.5-coder:0.5b", 0.4, 1),
    LocalModel("qwen2.5-coder:1.5b", 1, 2),
    LocalModel("qwen2.5-coder:7b", 4.7, 6),
)
"""For most laptops, smallest first; any GGUF file can be named in embedded.model instead."""
