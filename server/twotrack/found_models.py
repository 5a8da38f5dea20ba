"""What is used if the settings name no models: keys found, and servers on this machine."""

from collections.abc import Mapping

from twotrack.consent import Consent
from twotrack.llm import discovery
from twotrack.llm.discovery import Found
from twotrack.llm.http.transport import Transport
from twotrack.settings.schema import Settings


class FoundModels:
    """Models found in `environment`, as far as `consent` goes, and on loopback."""

    def __init__(self, environment: Mapping[str, str], consent: Consent) -> None:
        self._environment = environment
        self._consent = consent
        self._loopback = Found()
        self._unnamed: frozenset[str] = frozenset()

    async def look(self, settings: Settings, transport: Transport) -> bool:
        """Return whether there are model servers on this machine, if the settings let us look."""
        if settings.models or not settings.discovery.loopback:
            return False
        self._loopback = await discovery.from_loopback(transport)
        self._unnamed = transport.unnamed
        return bool(self._loopback.models)

    def unnamed(self, settings: Settings) -> frozenset[str]:
        """Return the base URLs of servers that were found, as long as no settings name models."""
        return frozenset() if settings.models else self._unnamed

    def usable(self, settings: Settings) -> Found:
        """Return what may be used now."""
        if settings.models:
            return Found()
        found = Found()
        if settings.discovery.environment:
            found |= discovery.from_environment(self._environment, self._consent.allows)
        return found | self._loopback if settings.discovery.loopback else found

    def undecided(self, settings: Settings) -> Found:
        """Return what would be used, besides, if the person allowed the keys that were found."""
        if settings.models or not settings.discovery.environment or settings.privacy.local_only:
            return Found()
        return discovery.from_environment(self._environment, self._consent.is_open)
