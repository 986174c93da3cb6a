"""What an access path may hold, and which location of the program it denotes."""
