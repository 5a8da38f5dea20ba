"""Code actions: titles at once, edits when one is chosen."""

from twotrack.engine.actions.actions import Actions
from twotrack.engine.actions.offers import Diagnostic, Offer, Proposal

__all__ = ["Actions", "Diagnostic", "Offer", "Proposal"]
