"""Shows what would be asked, without asking."""

from twotrack.errors import RouteExhausted, TwotrackError
from twotrack.llm.api import Model, Prompt
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.dispatch import Dispatcher


class NotSent(TwotrackError):
    """The prompt that the first model of a route would have got."""

    def __init__(self, model: Model, prompt: Prompt) -> None:
        super().__init__(f"{model.name} was not asked.")
        self.model = model
        self.prompt = prompt


class DryRun(Dispatcher):
    """A dispatcher that asks nobody."""

    async def ask(self, ask: Ask) -> Answer:
        """Raise NotSent with the prompt; RouteExhausted if no model would be asked."""
        for model in self.policy.candidates(ask.task, ask.skip):
            retrieval = model.capabilities.retrieval
            if not retrieval and (prompt := ask.prompt_for(model)) is not None:
                raise NotSent(model, prompt)
        raise RouteExhausted(ask.task, [])
