"""A singleton that two threads make twice."""
# target: Registry.instance
# expect: confirmed not-serializable|lost-update


class Registry:
    _instance = None

    def __init__(self):
        self.entries = {}

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance
