"""A workflow of two agents; ADK's loader wants its module here."""

from . import agent as agent
