"""`stopkey demo`: the real client, with a guide that presses its keys and says what is to be seen."""
