"""Both append one line: the order differs, nothing is lost."""
# target: Journal.note_start,Journal.note_end
# expect: not-confirmed


class Journal:
    def __init__(self):
        self.lines = []

    def note_start(self):
        self.lines.append("start")

    def note_end(self):
        self.lines.append("end")
