"""The money is guarded by one Condition: no race, but the locking is slow, and an exception in print would leave it held."""
# expect: RL201 RL211 RL401 RL502
# target: StingySpendy
# expect-target: not-confirmed

from threading import Condition, Thread


class StingySpendy:
    money = 100
    cv = Condition()

    def stingy(self):
        for i in range(1000000):
            self.cv.acquire()  # RL401 RL211
            self.money += 10
            self.cv.notify()
            self.cv.release()
        print("Stingy Done")

    def spendy(self):
        for i in range(500000):
            self.cv.acquire()  # RL401 RL201
            while self.money < 20:
                self.cv.wait()
            self.money -= 20
            if self.money < 0:
                print("Money in bank", self.money)
            self.cv.release()
        print("Spendy Done")


if __name__ == "__main__":
    ss = StingySpendy()
    t1 = Thread(target=ss.stingy, args=()).start()  # RL502
    t2 = Thread(target=ss.spendy, args=()).start()  # RL502
