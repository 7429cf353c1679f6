"""An agent whose model does what the prompt says; ADK's loader wants its module here."""

from . import agent as agent
