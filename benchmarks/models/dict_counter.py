"""d[k] = d.get(k, 0) + 1."""
# target: Votes.vote
# expect: confirmed lost-update|not-serializable


class Votes:
    def __init__(self):
        self.votes = {}

    def vote(self, name: str = "ada"):
        self.votes[name] = self.votes.get(name, 0) + 1
