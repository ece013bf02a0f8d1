"""Numbers that look random and are the same each time."""

from hashlib import sha512

from specie.curve import L


class Draw:
    def __init__(self, seed):
        self.seed = seed

    def _digest(self, name):
        return sha512(f"specie test vectors/{self.seed}/{name}".encode()).digest()

    def scalar(self, name):
        return int.from_bytes(self._digest(name), "little") % L

    def bytes(self, name, length=32):
        return self._digest(name)[:length]

    def below(self, name):
        return Draw(f"{self.seed}/{name}")
