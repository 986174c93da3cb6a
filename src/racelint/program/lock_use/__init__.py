"""What RL2 and RL4 ask: locks left held, taken twice, in two orders, around what waits, or too often."""
