"""What `--dry-run` shows: the prompt that nobody got."""

from twotrack.commands import terminal
from twotrack.routing.dry_run import NotSent
from twotrack.routing.request_log import redacted


def show(shown: NotSent, *, as_json: bool) -> None:
    """Print the prompt on standard output, and on standard error who would have got it."""
    model, text = shown.model, shown.prompt.shown()
    sources = list(shown.prompt.sources)
    if as_json:
        data = {"model": model.name, "model_id": model.model_id, "prompt": text}
        terminal.show_data({**data, "sources": sources, "redacted": redacted(text)})
        return
    terminal.show(text if text.endswith("\n") else f"{text}\n")
    hidden = f"; secrets redacted: {redacted(text)}" if redacted(text) else ""
    terminal.say(f"would ask {model.name} ({model.model_id}){hidden}. Nothing was sent.")
