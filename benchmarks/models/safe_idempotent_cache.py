"""Computed twice at worst, and equal each time."""
# target: Name.key
# expect: not-confirmed


class Name:
    def __init__(self, text: str = "Ada Lovelace"):
        self.text = text
        self._key = None

    def key(self):
        if self._key is None:
            self._key = self.text.casefold()
        return self._key
