"""The pure core: what can happen, what it means and what follows. Standard library only; nothing awaits."""
