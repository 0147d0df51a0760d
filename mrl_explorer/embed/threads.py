"""How many processors torch uses."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread.

    Its threads wait for each other after every small product, so beside other busy processes, which
    a page that is used is one of, several of them can be slower than one.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
