class Account:
    money = 100

    def stingy(self):
        for _ in range(1_000_000):
            self.money += 10

    def spendy(self):
        for _ in range(1_000_000):
            self.money -= 20
