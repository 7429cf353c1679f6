"""The client in a browser: the door, the seats, and a stop pressed in a real browser."""
