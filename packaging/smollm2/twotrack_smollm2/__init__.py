"""SmolLM2-135M-Instruct as a GGUF file, which stands beside this one."""
