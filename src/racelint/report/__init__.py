"""One file a format: findings and verdicts as people and as programs read them."""
