"""The inspector: every raw event of a conversation, the turn on a time axis, and the newest receipt."""
