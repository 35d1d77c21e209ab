"""Contenders and peers that are not there, and a clock that only they move."""

import numpy as np

from pellucid.bench.forms import Form


class Clock:
    """A clock that stands still until somebody lets time pass."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def contender(self, *seconds, log=None, name=""):
        """Take so many seconds at each run, the last number again and again."""
        left = list(seconds)

        def run():
            self.now += left.pop(0) if len(left) > 1 else left[0]
            if log is not None:
                log.append(name)

        return run


class Peer:
    """A peer whose forms give the results that it is told to, by label."""

    def __init__(self, results, run=lambda: None):
        self.results, self.run = results, run

    def forms(self, task, threads):
        return [Form(label, self.run, self._giving(results)) for label, results in self.results.items()]

    @staticmethod
    def _giving(results):
        def give():
            if isinstance(results, Exception):
                raise results
            return {name: np.array(array) for name, array in results.items()}

        return give
