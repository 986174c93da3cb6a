"""What RL7 asks: what coroutines do to each other between their switch points."""
