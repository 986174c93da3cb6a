"""What RL1 asks: which accesses of shared variables go wrong in parallel, and which lock guards what."""
