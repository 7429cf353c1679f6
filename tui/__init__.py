"""stopkey: a terminal chat client for remote agents whose Stop key tells the truth."""

__version__ = "0.1.0"
