"""Plain data: no LibCST, no I/O, no policy. Every arrow between the layers is one of these structures."""
