"""twotrack/subject: what an edit would be about, so that an editor can name it when it asks."""

from twotrack.lsp.conversation import Conversation
from twotrack.lsp.extensions import Subject, SubjectParams
from twotrack.lsp.handlers.plugin import selected


async def subject(conversation: Conversation, params: SubjectParams) -> Subject:
    """Name what an edit would be about."""
    document, selection = selected(conversation, params)
    await conversation.session.actions.look(document)
    named = conversation.session.actions.subject(document, selection)
    return Subject(named or "the code at the cursor")
