"""A stand-in for a remote agent, and a reference for how a backend does Stop right."""
