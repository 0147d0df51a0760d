"""Coverage of the 95% intervals, and of the bounds that hold for a whole grid, by simulation.

From the project's folder: `python -m benchmarks.intervals`. Samples of queries are drawn from
populations whose mean recall is known; an interval covers when it holds that mean.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

# Run as a file, Python looks for packages beside the file and not in the project's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mrl_explorer.decide.intervals import intervals, simultaneous_lows
from mrl_explorer.decide.pairs import compare, needed_queries

N_QUERIES = (50, 100, 150, 300, 1000)
RECALLS = (0.80, 0.85, 0.90, 0.95, 0.97, 0.99)
LEAST, MOST = 0.93, 0.97
_K = 10
_AT_ONCE = 250


def spread(random: np.random.Generator, recall: float, shape: tuple[int, ...]) -> np.ndarray:
    """Misses spread over all queries: 10 results each, with a chance that varies a little."""
    chances = random.beta(30 * recall, 30 * (1 - recall), size=shape)
    return random.binomial(_K, chances) / _K


def clumped(random: np.random.Generator, recall: float, shape: tuple[int, ...]) -> np.ndarray:
    """Misses in few queries: those that miss at all miss half of their results."""
    chance_of_loss = (1 - recall) / 0.5
    chances = np.where(random.random(shape) < chance_of_loss, 0.5, 1.0)
    return random.binomial(_K, chances) / _K


POPULATIONS: dict[str, Callable[..., np.ndarray]] = {"spread": spread, "clumped": clumped}


def measure_intervals(*, draws: int) -> bool:
    """Print coverage and width of every cell; tell whether all targets are met."""
    print(f"95% intervals, {draws} draws a cell: at least {LEAST:.0%} covered everywhere,")
    print(f"at most {MOST:.0%} where recall is .95 or less with 150 queries or more\n")
    print(
        f"{'misses':8} {'queries':>7} {'recall':>6} {'covered':>8} {'below':>6} {'above':>6} "
        f"{'width':>6}"
    )
    met = True
    for name, draw in POPULATIONS.items():
        for n in N_QUERIES:
            for recall in RECALLS:
                lows, highs = [], []
                random = np.random.default_rng(n)
                for start in range(0, draws, _AT_ONCE):
                    rows = min(_AT_ONCE, draws - start)
                    low, high = intervals(draw(random, recall, (rows, n)))
                    lows.append(low)
                    highs.append(high)
                low, high = np.concatenate(lows), np.concatenate(highs)
                # A share of ten in float32 may differ from the truth in its last bits.
                above, below = (low > recall + 1e-6).mean(), (high < recall - 1e-6).mean()
                covered = 1 - above - below
                limit = MOST if recall <= 0.95 and n >= 150 else 1.0
                good = LEAST <= covered <= limit
                met &= good
                print(
                    f"{name:8} {n:>7} {recall:>6.2f} {covered:>8.3f} {below:>6.3f} {above:>6.3f} "
                    f"{np.mean(high - low):>6.3f}{'' if good else '  MISSED'}",
                    flush=True,
                )
    return bool(met)


def measure_joint_bounds(*, draws: int) -> bool:
    """Print how often all bounds of a grid hold at once, beside the rows' own lower ends."""
    print(f"\nBounds of 60 configurations at once, {draws} draws: at least {LEAST:.0%} hold all\n")
    print(f"{'misses':8} {'queries':>7} {'joint':>6} {'own':>6} {'gap':>6}")
    met = True
    truth = np.linspace(0.80, 0.99, 60)
    for name, draw in POPULATIONS.items():
        for n in (50, 150, 500):
            random = np.random.default_rng(n)
            joint = own = 0
            gaps = []
            for _ in range(draws):
                # Half of the rows share their luck with a neighbour, as dims of one model do.
                values = np.stack([draw(random, float(one), (n,)) for one in truth])
                values[1::2] = np.clip(values[::2] + (truth[1::2] - truth[::2])[:, None], 0, 1)
                mean = np.where(np.arange(60) % 2, np.nan, truth)
                all_lows, (lows, _) = simultaneous_lows(values), intervals(values)
                joint += not (all_lows > mean + 1e-6).any()
                own += not (lows > mean + 1e-6).any()
                gaps.append((lows - all_lows).mean())
            good = joint / draws >= LEAST
            met &= good
            print(
                f"{name:8} {n:>7} {joint / draws:>6.3f} {own / draws:>6.3f} {np.mean(gaps):>6.3f}"
                f"{'' if good else '  MISSED'}",
                flush=True,
            )
    return bool(met)


def measure_pairs(*, draws: int) -> bool:
    """Print the coverage of paired differences, and the width at the number of queries named."""
    print(f"\nPaired differences, {draws} draws: at least {LEAST:.0%} covered\n")
    print(f"{'misses':8} {'queries':>7} {'covered':>8} {'needed':>7} {'half width there':>17}")
    met = True
    for name, draw in POPULATIONS.items():
        for n in N_QUERIES:
            random = np.random.default_rng(n)
            covered, needed = 0, []
            for _ in range(draws):
                first, second = draw(random, 0.9, (n,)), draw(random, 0.88, (n,))
                pair = compare(first, second)
                covered += pair.low - 1e-6 <= 0.02 <= pair.high + 1e-6
                needed.append(needed_queries(first - second, margin=0.02))
            enough = int(np.median(needed))
            there = compare(draw(random, 0.9, (enough,)), draw(random, 0.88, (enough,)))
            good = covered / draws >= LEAST
            met &= good
            print(
                f"{name:8} {n:>7} {covered / draws:>8.3f} {enough:>7} "
                f"{(there.high - there.low) / 2:>10.4f} for .02{'' if good else '  MISSED'}",
                flush=True,
            )
    return bool(met)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000, help="samples of queries in each cell")
    options = parser.parse_args()
    met = [
        measure_intervals(draws=options.draws),
        measure_joint_bounds(draws=max(200, options.draws // 4)),
        measure_pairs(draws=max(200, options.draws // 4)),
    ]
    print(f"\ntargets: {'met' if all(met) else 'MISSED'}")
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
