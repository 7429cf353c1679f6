"""Adapters: one wire protocol a file, bytes in and our events out. Usable without a screen."""
