import threading
import time

from mrl_explorer.embed.turns import Turns


def wait_until(condition):
    """Wait for other threads to get somewhere; a test that hangs is ended by this."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def test_who_waits_longest_is_next_and_who_had_it_comes_last():
    turns, order = Turns(), []

    def take(name):
        with turns:
            order.append(name)

    waiting = []
    turns.__enter__()
    for name in ("first", "second", "third"):
        waiting.append(threading.Thread(target=take, args=(name,)))
        waiting[-1].start()
        wait_until(lambda: len(turns._waiting) == len(waiting))
    turns.__exit__()
    take("again")
    for thread in waiting:
        thread.join(60)
    assert order == ["first", "second", "third", "again"]


def test_one_at_a_time():
    turns, inside, most = Turns(), 0, 0

    def work():
        nonlocal inside, most
        for _ in range(200):
            with turns:
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (inside, most) == (0, 1)
    with turns:
        pass


def test_an_error_inside_gives_the_turn_back():
    turns = Turns()
    try:
        with turns:
            raise ValueError
    except ValueError:
        pass
    with turns:
        pass


def test_an_interrupted_wait_leaves_the_queue(monkeypatch):
    turns = Turns()
    turns.__enter__()

    def interrupt(self, timeout=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "wait", interrupt)
    try:
        turns.__enter__()
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("it was not interrupted")
    monkeypatch.undo()
    turns.__exit__()
    with turns:
        pass
