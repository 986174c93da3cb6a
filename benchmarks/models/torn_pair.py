"""Two fields that belong together, read between the two writes."""
# target: Sensor.update,Sensor.read
# expect: confirmed not-serializable


class Sensor:
    def __init__(self):
        self.celsius = 0
        self.fahrenheit = 32

    def update(self):
        self.celsius = 100
        self.fahrenheit = 212

    def read(self):
        return self.celsius, self.fahrenheit
