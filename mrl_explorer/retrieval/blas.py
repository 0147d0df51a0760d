"""Matrix products on one thread, where several would wait for each other."""

import threading
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


class _SingleThreadedBlas:
    """Hold BLAS to one thread while anyone asks for it.

    A small product is soon done, but with two threads and one busy core it waits some 30 ms for the
    thread that is not let in. The limit is the process's, so all who want it share it: the first
    sets it and the last lifts it. Each saving and restoring for itself would leave it on for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._limits = _libraries().limit(limits=1, user_api="blas")
            self._users += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._limits is not None:
                self._limits.restore_original_limits()


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries once, which takes longer than a small product; numpy's is among them."""
    return ThreadpoolController()


single_threaded_blas = _SingleThreadedBlas()
