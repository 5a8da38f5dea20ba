"""What each editor can do, and where it differs from what it says.

Every quirk here is pinned by a test with that editor's recorded capabilities.
"""

from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability

from twotrack.text import Encoding


@dataclass(frozen=True, slots=True)
class Client:
    """One editor, as far as answers depend on it."""

    name: str = ""
    encoding: Encoding = Encoding.UTF16
    inline_completion: bool = False
    """Shows ghost text (textDocument/inlineCompletion)."""
    menu: bool = True
    """Gets completions in its completion menu too."""
    markdown_items: bool = False
    """Shows the documentation of a menu's item as Markdown."""
    snippets: bool = False
    """Takes snippet format in completion items."""
    cuts_plain_items: bool = False
    """Inserts a plain item up to its first blank only (Neovim 0.11); snippets arrive whole."""
    bare_newlines: bool = False
    """Takes ghost text as it is (Neovim 0.12 shows a carriage return as ^M, and inserts it)."""
    resolves: bool = False
    """Resolves a code action's edit without freezing; others get a command."""
    one_character_is_none: bool = False
    """Sends a one-character range where nothing is selected (Helix, ALE)."""
    one_line_items: bool = False
    """Puts NUL bytes into the file for the line ends of a menu's item (ALE, which has no name)."""
    runs_item_commands: bool = True
    """Runs the command of a completion that was accepted; Helix and ALE do not know of it."""
    answers_apply_edit: bool = True
    """Says whether it applied an edit; ALE applies it and never answers."""
    code_action_literals: bool = True
    """Takes CodeAction objects; without it only commands."""
    tags: bool = False
    """Takes CodeActionTag.LLMGenerated."""
    document_changes: bool = False
    """Takes versioned edits."""
    annotations: bool = False
    """Takes change annotations."""
    creates_files: bool = False
    """Takes CreateFile operations."""
    progress: bool = False
    """Shows work-done progress."""
    shows_documents: bool = False
    """Takes window/showDocument."""
    asks: bool = False
    """Takes window/showMessageRequest."""
    configuration: bool = False
    """Answers workspace/configuration."""
    watches_files: bool = False
    """Takes a dynamic registration of file watchers (Neovim warns about most others)."""
    events: bool = False
    """Asked for our own notifications, by `extensions.ClientCapabilities`."""


def recognise(params: types.InitializeParams) -> Client:
    """Read what the client says of itself, and correct it where its program is known."""
    capabilities = params.capabilities
    name = params.client_info.name.lower() if params.client_info else ""
    helix, neovim = name == "helix", name == "neovim"

    def has(path: str) -> Any:
        return get_capability(capabilities, path)

    literals = "text_document.code_action.code_action_literal_support"
    kinds = has(f"{literals}.code_action_kind.value_set")
    # It has no name, but is alone in taking literal actions of no kind.
    ale = not name and kinds is not None and not kinds

    inline = has("text_document.inline_completion") is not None
    properties = has("text_document.code_action.resolve_support.properties") or ()
    tags = has("text_document.code_action.tag_support.value_set") or ()
    operations = has("workspace.workspace_edit.resource_operations") or ()
    experimental = capabilities.experimental
    snippets = bool(has("text_document.completion.completion_item.snippet_support"))
    return Client(
        name=name,
        # ALE names none: it sends Vim's columns as they are, and takes ours for them.
        encoding=Encoding.UTF8 if ale else _encoding(has("general.position_encodings") or ()),
        inline_completion=inline,
        # Neovim announces ghost text also if its user has not turned it on.
        menu=not inline or neovim,
        markdown_items=types.MarkupKind.Markdown
        in (has("text_document.completion.completion_item.documentation_format") or ()),
        snippets=snippets,
        cuts_plain_items=neovim,
        bare_newlines=neovim,
        # Eglot waits for it and freezes; lsp-mode asks every other server of the buffer too.
        resolves="edit" in properties and name not in ("helix", "eglot", "emacs"),
        one_character_is_none=helix or not name,
        one_line_items=not name and not snippets,
        runs_item_commands=bool(name) and not helix,
        answers_apply_edit=bool(has("workspace.apply_edit")),
        code_action_literals=has(literals) is not None,
        tags=types.CodeActionTag.LlmGenerated in tags,
        # Neovim takes them without saying so; nobody creates files by the plain form.
        document_changes=bool(has("workspace.workspace_edit.document_changes"))
        or types.ResourceOperationKind.Create in operations,
        # Neovim stops at a prompt for each of them.
        annotations=has("workspace.workspace_edit.change_annotation_support") is not None
        and not neovim,
        creates_files=types.ResourceOperationKind.Create in operations,
        progress=bool(has("window.work_done_progress")),
        shows_documents=bool(has("window.show_document.support")),
        # Eglot and lsp-mode take it without saying so.
        asks=has("window.show_message") is not None or name in ("eglot", "emacs"),
        configuration=bool(has("workspace.configuration")),
        watches_files=bool(has("workspace.did_change_watched_files.dynamic_registration")),
        events=_wants_events(experimental),
    )


def _encoding(offered: Any) -> Encoding:
    """The client's first choice among those that exist; utf-16 if it names none."""
    for name in offered:
        if name in set(Encoding):
            return Encoding(name)
    return Encoding.UTF16


def _wants_events(experimental: Any) -> bool:
    ours = experimental.get("twotrack") if isinstance(experimental, dict) else None
    return isinstance(ours, dict) and ours.get("events") is True
