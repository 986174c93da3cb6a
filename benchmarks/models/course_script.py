"""A script as in the course: the threads start where the module is run, with no main guard."""
# target: RL101
# expect: confirmed lost-update

from threading import Thread


class StingySpendy:
    money = 100

    def stingy(self):
        for i in range(1000000):
            self.money += 10
        print("Stingy Done")

    def spendy(self):
        for i in range(1000000):
            self.money -= 20
        print("Spendy Done")


ss = StingySpendy()
t1 = Thread(target=ss.stingy, args=())
t2 = Thread(target=ss.spendy, args=())
t1.start()
t2.start()
t1.join()
t2.join()
print("Money in the end", ss.money)
