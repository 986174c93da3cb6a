"""Where LibCST lives: parsing, names, positions and comments of one file."""
