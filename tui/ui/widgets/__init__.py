"""The small widgets around the transcript."""
