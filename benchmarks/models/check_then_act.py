"""Two threads both miss the cache and hand out different sessions for one user."""
# target: session
# expect: confirmed not-serializable|lost-update

_sessions = {}


class Session:
    def __init__(self, user):
        self.user = user
        self.messages = []


def session(user: str = "ada"):
    if user not in _sessions:
        _sessions[user] = Session(user)
    return _sessions[user]
