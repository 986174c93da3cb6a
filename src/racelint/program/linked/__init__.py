"""What analyses of several kinds ask of the linked program."""
