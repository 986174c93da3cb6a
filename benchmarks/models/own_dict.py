"""A dict of one's own that asks its base class, and stores by it."""
# target: Loaded.load
# expect: confirmed lost-update|not-serializable


class Loaded(dict):
    def load(self, key: str):
        if not super().__contains__(key):
            super().__setitem__(key, object())
        return super().__getitem__(key)
