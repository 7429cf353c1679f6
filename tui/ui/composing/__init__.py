"""What helps to write a prompt: history, the editor, pastes, completion, files."""
