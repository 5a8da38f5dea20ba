"""The table of methods: which handler takes which message, and what is announced of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from twotrack.lsp.handlers import (
    code_action,
    completion,
    configuration,
    execute_command,
    inline_completion,
    lifecycle,
    notebooks,
    plugin,
    records,
    subject,
    synchronization,
    watched_files,
    workspace_folders,
)


@dataclass(frozen=True, slots=True)
class Method:
    """What is done with a message."""

    handler: Callable[..., Any]
    """Takes the conversation and the message's parameters. Returns the result, a coroutine that
    gives it, or, for a notification that takes long, its steps."""
    options: Any = None
    """LSP's options of the capability; they may depend on the client: see `capabilities`."""


METHODS: Mapping[str, Method] = {
    types.INITIALIZE: Method(lifecycle.initialize),
    types.INITIALIZED: Method(lifecycle.initialized),
    types.SHUTDOWN: Method(lifecycle.shutdown),
    types.SET_TRACE: Method(lifecycle.set_trace),
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: Method(lifecycle.cancel_progress),
    types.TEXT_DOCUMENT_DID_OPEN: Method(synchronization.did_open),
    types.TEXT_DOCUMENT_DID_CHANGE: Method(synchronization.did_change),
    types.TEXT_DOCUMENT_DID_CLOSE: Method(synchronization.did_close),
    types.TEXT_DOCUMENT_DID_SAVE: Method(synchronization.did_save),
    types.NOTEBOOK_DOCUMENT_DID_OPEN: Method(notebooks.did_open),
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: Method(notebooks.did_change),
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: Method(notebooks.did_close),
    types.TEXT_DOCUMENT_INLINE_COMPLETION: Method(
        inline_completion.inline_completion, types.InlineCompletionOptions()
    ),
    types.TEXT_DOCUMENT_COMPLETION: Method(
        completion.completion, types.CompletionOptions(trigger_characters=completion.TRIGGERS)
    ),
    types.TEXT_DOCUMENT_CODE_ACTION: Method(code_action.code_action, types.CodeActionOptions()),
    types.CODE_ACTION_RESOLVE: Method(code_action.code_action_resolve),
    types.WORKSPACE_EXECUTE_COMMAND: Method(execute_command.execute_command),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: Method(configuration.did_change_configuration),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: Method(watched_files.did_change_watched_files),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: Method(
        workspace_folders.did_change_workspace_folders
    ),
    "twotrack/status": Method(plugin.get_status),
    "twotrack/pause": Method(plugin.pause),
    "twotrack/useModel": Method(plugin.use_model),
    "twotrack/edit": Method(plugin.edit),
    "twotrack/didChangeDiagnostics": Method(plugin.did_change_diagnostics),
    "textDocument/didShowCompletion": Method(plugin.did_show_completion),
    "textDocument/didPartiallyAcceptCompletion": Method(plugin.did_partially_accept_completion),
    "twotrack/didRejectCompletion": Method(plugin.did_reject_completion),
    "twotrack/subject": Method(subject.subject),
    "twotrack/requests": Method(records.requests),
    "twotrack/ledger": Method(records.ledger),
}
