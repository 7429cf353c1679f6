"""The benchmark: `python -m tests.bench`. It measures, and fails nothing because a machine is slow."""
