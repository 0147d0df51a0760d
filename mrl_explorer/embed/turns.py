"""A lock that serves in the order of arrival."""

import threading
from collections import deque


class Turns:
    """Who waits longest is next.

    `threading.Lock` lets the thread that has just let go take it again before one that waits has
    woken up: a query typed beside a long run then waited for several batches instead of one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        turn = threading.Event()
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            self._waiting.append(turn)
        try:
            turn.wait()
        except BaseException:
            # Interrupted: leave the queue, or pass on a turn that came at that very moment.
            with self._guard:
                if not turn.is_set():
                    self._waiting.remove(turn)
                    raise
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        with self._guard:
            if self._waiting:
                # Handed over rather than let go, so nobody comes between.
                self._waiting.popleft().set()
            else:
                self._taken = False
