"""Screens that open over the conversation. All of them keep the run bar."""
