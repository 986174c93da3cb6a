"""A Timer's callback against the thread that started it."""
# target: Session.touch_for_a_while
# expect: confirmed lost-update|not-serializable

from threading import Timer


class Session:
    def __init__(self):
        self.score = 0

    def _expire(self):
        self.score -= 5

    def touch_for_a_while(self):
        timer = Timer(0.5, self._expire)
        timer.start()
        self.score += 1
        self.score += 1
        timer.join()
        return self.score
