"""What RL6 asks: what processes share, what they only seem to share, and how they are started."""
