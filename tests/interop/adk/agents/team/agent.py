"""Two agents in a row: the last word of the first is not the end of the run."""

from __future__ import annotations

from fakeagent.agent import FakeLlm
from google.adk.agents import LlmAgent, SequentialAgent

root_agent = SequentialAgent(
    name="team",
    sub_agents=[LlmAgent(name=name, model=FakeLlm(), instruction="fake") for name in ("writer", "editor")],
)
