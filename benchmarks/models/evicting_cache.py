"""What is looked up is put out by another entry before it is moved to the end."""
# target: Recent
# expect: confirmed exception

from collections import OrderedDict


class Recent:
    def __init__(self, size: int = 2):
        self.size = size
        self.data: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str):
        if key in self.data:
            self.data.move_to_end(key)
            return self.data[key]
        return None

    def put(self, key: str, value: int):
        self.data[key] = value
        if len(self.data) > self.size:
            self.data.popitem(last=False)
