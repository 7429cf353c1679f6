"""The commands, a room each. Only here and in `embedded` are concrete classes named together."""
