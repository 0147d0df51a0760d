"""The planner of chains: which is the cheapest that keeps enough of the ground truth.

Rescoring at full dimension keeps every true result that is among the candidates, so the recall of
a first stage at every number of candidates is a running count over its list. Only chains with
further stages are run, and only those that could be cheaper than the best known one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mrl_explorer.data import Judgements
from mrl_explorer.decide.intervals import intervals
from mrl_explorer.decide.needs import Need, chain_need, full_need
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.candidates import Candidates
from mrl_explorer.retrieval.chains import Chain, chain, check_chain, stored_code
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.hnsw import INDEXED
from mrl_explorer.retrieval.metrics import relevance_of
from mrl_explorer.retrieval.rankings import Rankings

MAX_RUN = 2000
"""Chains of several stages that are run at most; the cheapest come first."""

_AT_ONCE = 256
_STEPS = (1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
"""Candidates per result that chains of several stages are tried with."""

Objective = Literal["ram", "bytes"]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a chain is to reach, and within which limits.

    Attributes
    ----------
    min_recall : float
        recall@k to keep, in (0, 1].
    k : int
        Results.
    n_vectors : float
        Vectors in production.
    sure : bool
        Whether the lower end of the 95% interval has to reach it, rather than the mean.
    objective : {"ram", "bytes"}
        What is to be least: RAM, then bytes read; or bytes read, then RAM.
    max_ram : float or None
        Bytes of RAM at most.
    max_candidates : int or None
        Documents that the first stage hands on at most.
    max_disk_reads : int or None
        Vectors read from disk for a query at most.
    max_stages : int
        Stages at most.
    indexed : bool
        Whether the first stage has a graph, whose RAM is then counted; only codes that usearch
        indexes can then come first.
    last_on_disk : bool
        Whether the last of several stages reads from disk.
    quantizations, bases : tuple of str or None
        What a stage may use, beside full dimension in float32; None for all.
    """

    min_recall: float = 0.99
    k: int = 10
    n_vectors: float = 1e7
    sure: bool = False
    objective: Objective = "ram"
    max_ram: float | None = None
    max_candidates: int | None = None
    max_disk_reads: int | None = None
    max_stages: int = 4
    indexed: bool = False
    last_on_disk: bool = True
    quantizations: tuple[str, ...] | None = None
    bases: tuple[str, ...] | None = None

    def permits(self, config: Config) -> bool:
        """Tell whether a stage may use a configuration."""
        return (self.quantizations is None or config.quantization in self.quantizations) and (
            self.bases is None or config.basis in self.bases
        )

    def need(self, chain: Chain, *, full_dim: int) -> Need:
        """Work out what a chain needs under this aim."""
        return chain_need(
            chain,
            n_vectors=self.n_vectors,
            full_dim=full_dim,
            indexed=self.indexed,
            last_on_disk=self.last_on_disk,
        )

    def allows(self, chain: Chain, need: Need) -> bool:
        """Tell whether a chain keeps within the limits."""
        several = len(chain.stages) > 1
        return (
            len(chain.stages) <= self.max_stages
            and (self.max_ram is None or need.ram <= self.max_ram)
            and (self.max_disk_reads is None or need.disk_reads <= self.max_disk_reads)
            and (
                self.max_candidates is None
                or not several
                or chain.candidates <= self.max_candidates
            )
        )

    def cost(self, chain: Chain, need: Need) -> tuple[float, ...]:
        """Give what is compared, the least first."""
        pair = (need.ram, need.bytes_read)
        first = pair if self.objective == "ram" else pair[::-1]
        return (*first, need.disk, len(chain.stages), chain.candidates)


@dataclass(frozen=True, slots=True)
class Tiers:
    """A chain with its figures.

    Attributes
    ----------
    chain : Chain
        The stages.
    recall, low, high : float
        Mean recall@k against full dimension, and its 95% interval.
    need : Need
        RAM, disk and bytes read.
    ndcg : float or None
        Mean nDCG@k over the judged queries; None without judgements.
    """

    chain: Chain
    recall: float
    low: float
    high: float
    need: Need
    ndcg: float | None = None


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What a configuration is good for as a first stage before full-dimension rescoring.

    Attributes
    ----------
    config : Config
        Which.
    candidates : int or None
        The fewest that reach the aim; None when all the lists hold do not.
    recall, low, high : float
        Mean recall@k with so many, or with all that the lists hold, and its 95% interval.
    unseen : float or None
        For a fitted basis, mean recall@k with so many on documents that it has not seen; None
        where that does not apply or was not measured.
    """

    config: Config
    candidates: int | None
    recall: float
    low: float
    high: float
    unseen: float | None


@dataclass(frozen=True, eq=False)
class Plan:
    """What the planner found.

    Attributes
    ----------
    aim : Aim
        What was asked for.
    chosen, runner_up : Tiers or None
        The cheapest chain that reaches the aim, and the cheapest with another first stage.
    best_of_each : tuple of Tiers
        The cheapest chain of each first stage that reaches the aim, cheapest first.
    first_stages : tuple of FirstStage
        Every configuration as a first stage, in the order of the run.
    n_considered : int
        Chains whose recall was looked up or measured.
    n_undecided : int
        Chains left aside because the lists could not tell their recall.
    cut_short : bool
        Whether more chains of several stages could have been cheaper than were run.
    full : Need
        What full dimension in float32 needs, for comparison.
    full_ndcg : float or None
        Its mean nDCG@k over the judged queries; None without judgements.
    """

    aim: Aim
    chosen: Tiers | None
    runner_up: Tiers | None
    best_of_each: tuple[Tiers, ...]
    first_stages: tuple[FirstStage, ...]
    n_considered: int
    n_undecided: int
    cut_short: bool
    full: Need
    full_ndcg: float | None


def check_aim(aim: Aim, rankings: Rankings) -> None:
    """Refuse an aim that no chain on these lists could be held against.

    Raises
    ------
    InputError
        If a number is out of its range, or fewer candidates are allowed than results wanted.
    """
    if not 0 < aim.min_recall <= 1:
        raise InputError(
            f"A recall of {aim.min_recall:g} is no share: choose above 0 and up to 1, such as .99."
        )
    if not aim.n_vectors >= 1:
        raise InputError("The number of vectors has to be 1 or more.")
    if aim.k < 1:
        raise InputError(f"k = {aim.k} leaves no results: choose 1 or more.")
    most = min(rankings.depth, rankings.n_docs)
    if aim.k > most:
        raise InputError(
            f"k = {aim.k} is more than the {most} places of these lists: choose k up to {most}, "
            "or rank deeper."
        )
    for name, value in (("candidates", aim.max_candidates), ("disk reads", aim.max_disk_reads)):
        if value is not None and value < aim.k:
            raise InputError(
                f"At most {value} {name} cannot give k = {aim.k} results: allow {aim.k} or more."
            )
    if aim.max_candidates is not None and aim.max_candidates > rankings.n_docs:
        raise InputError(
            f"{aim.max_candidates} candidates are more than the corpus of {rankings.n_docs:,} "
            f"documents: allow up to {rankings.n_docs}."
        )


def plan(
    candidates: Candidates,
    aim: Aim,
    *,
    judgements: Judgements | None = None,
    unseen: Candidates | None = None,
) -> Plan:
    """Find the cheapest chain that reaches an aim.

    Parameters
    ----------
    candidates : Candidates
        Of a run; with `rank_directly` behind them, no chain is undecided.
    aim : Aim
        Target and limits.
    judgements : Judgements, optional
        For nDCG of the chains that are named.
    unseen : Candidates, optional
        Of the run's held-out lists: a chain with a fitted basis has to reach the aim there too.

    Raises
    ------
    InputError
        If the aim cannot be met by any chain whatever: see `check_aim`.
    """
    rankings = candidates.rankings
    check_aim(aim, rankings)
    search = _Search(candidates, aim, unseen)
    best = search.best_of_each()
    ordered = sorted(best.values(), key=lambda one: aim.cost(one.chain, one.need))
    described = tuple(
        _with_ndcg(one, candidates, judgements) if place < _DESCRIBED else one
        for place, one in enumerate(ordered)
    )
    return Plan(
        aim,
        chosen=described[0] if described else None,
        runner_up=described[1] if len(described) > 1 else None,
        best_of_each=described,
        first_stages=search.first_stages,
        n_considered=search.n_considered,
        n_undecided=search.n_undecided,
        cut_short=search.cut_short,
        full=full_need(rankings.full_dim, n_vectors=aim.n_vectors, indexed=aim.indexed),
        full_ndcg=_ndcg(chain((rankings.baseline, aim.k)), candidates, judgements),
    )


_DESCRIBED = 12
"""First stages for which nDCG is worked out: as many as are shown."""


def describe(
    chain: Chain, candidates: Candidates, aim: Aim, *, judgements: Judgements | None = None
) -> Tiers | None:
    """Give the figures of a chain; None where the lists cannot tell.

    Raises
    ------
    InputError
        If the chain cannot run on this corpus, the run does not cover its first stage, or its
        first stage hands on more than the lists hold.
    """
    rankings = candidates.rankings
    check_chain(chain, n_docs=rankings.n_docs, full_dim=rankings.full_dim)
    if any(not candidates.can_rescore(stage.config) for stage in chain.stages[1:]):
        # The first stage is checked where it is read.
        rankings.place(chain.stages[0].config)
        return None
    values = candidates.recall([chain])
    if np.isnan(values).any():
        return None
    tiers = _figures(chain, values, rankings, aim)
    return _with_ndcg(tiers, candidates, judgements)


def held_out_tiers(chain: Chain, unseen: Candidates, aim: Aim) -> Tiers | None:
    """Give a chain's figures on documents that its fitted bases have not seen.

    Bases were fitted on one half of the documents and the chain runs on the other, so the corpus is
    half as large: recall is higher for that alone.

    Returns
    -------
    Tiers or None
        None when no stage has a fitted basis, or the held-out lists cannot tell.
    """
    rankings = unseen.rankings
    if not any(stage.config.is_fitted for stage in chain.stages):
        return None
    if chain.stages[0].config not in rankings or chain.k > rankings.n_docs:
        return None
    if chain.candidates > rankings.depth and rankings.depth < rankings.n_docs:
        return None
    stages = tuple(replace(stage, keep=min(stage.keep, rankings.n_docs)) for stage in chain.stages)
    return describe(Chain(stages), unseen, aim)


def recall_curves(candidates: Candidates, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give mean recall@k after full-dimension rescoring, by first stage and candidates.

    Returns
    -------
    counts, recall : np.ndarray
        (depth - k + 1,) numbers of candidates; (n_configs, depth - k + 1) mean recall.
    """
    found = candidates.found(k)
    _, wanted = candidates.truth(k)
    weights = 1 / np.maximum(wanted, 1)
    means = np.tensordot(weights, found, axes=(0, 1)) / len(wanted)
    return np.arange(k, found.shape[2] + 1), means[:, k - 1 :]


@dataclass(frozen=True, eq=False)
class _Lists:
    """Hits of first stages at every number of candidates."""

    found: np.ndarray
    """(n_firsts, n_queries, depth) int16."""
    wanted: np.ndarray
    """(n_queries,) what makes shares of them."""
    n_docs: int

    @classmethod
    def of(cls, candidates: Candidates, firsts: Sequence[Config], k: int) -> "_Lists":
        places = [candidates.rankings.place(config) for config in firsts]
        _, wanted = candidates.truth(k)
        found = candidates.found(k)[places]
        return cls(found, np.maximum(wanted, 1), candidates.rankings.n_docs)

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Give recall of every first stage with so many candidates each: (n_firsts, n_queries)."""
        at = counts[:, None, None] - 1
        return np.take_along_axis(self.found, at, axis=2)[:, :, 0] / self.wanted


class _Search:
    """One search: the look-ups first, then chains of several stages that could be cheaper."""

    def __init__(self, candidates: Candidates, aim: Aim, unseen: Candidates | None) -> None:
        self._candidates, self._aim, self._unseen = candidates, aim, unseen
        rankings = candidates.rankings
        self._rankings = rankings
        self._permitted = [
            config
            for config in rankings.configs
            if config != rankings.baseline
            and not config.is_rotated_baseline(rankings.full_dim)
            and aim.permits(config)
        ]
        # A graph is built over codes that usearch can compare.
        self._firsts = [
            config
            for config in self._permitted
            if not aim.indexed or config.quantization in INDEXED
        ]
        self.n_considered = len(self._firsts) * (rankings.depth - aim.k + 1)
        self.n_undecided = 0
        self.cut_short = False
        self.first_stages = tuple(self._shortest())

    def best_of_each(self) -> dict[Config, Tiers]:
        """Give the cheapest chain that reaches the aim, of each first stage that has one."""
        best: dict[Config, Tiers] = {}
        for first in self.first_stages:
            one = self._alone_or_rescored(first)
            if one is not None:
                best[first.config] = one
        longer = self._longer(best)
        if longer is not None:
            best[longer.chain.stages[0].config] = longer
        return best

    def _cost(self, tiers: Tiers) -> tuple[float, ...]:
        return self._aim.cost(tiers.chain, tiers.need)

    def _reach(self, values: np.ndarray) -> np.ndarray:
        """Tell which rows reach the aim."""
        if not self._aim.sure:
            # A mean of shares of k is a multiple of a small step: half of a millionth is rounding.
            return values.mean(axis=1) >= self._aim.min_recall - 5e-7
        return intervals(values)[0] >= self._aim.min_recall - 5e-7

    def _fewest(self, lists: "_Lists") -> tuple[np.ndarray, np.ndarray]:
        """Bisect for the fewest candidates: recall, and its lower end, never fall with more.

        Returns
        -------
        reached, counts : np.ndarray
            (n_firsts,) whether the aim is reached at all, and with how many: else all there are.
        """
        n_firsts, _, depth = lists.found.shape
        low, high = np.full(n_firsts, self._aim.k), np.full(n_firsts, depth)
        reached = self._reach(lists.shares(high))
        # A list as long as the corpus holds everything: rescoring it is the ground truth.
        reached |= depth >= lists.n_docs
        while (low < high).any():
            middle = (low + high) // 2
            enough = self._reach(lists.shares(middle))
            high = np.where(enough, middle, high)
            low = np.where(enough, low, np.minimum(middle + 1, high))
        return reached, np.where(reached, high, depth)

    def _shortest(self) -> Iterator[FirstStage]:
        """Give the fewest candidates of each: for a fitted basis, on documents unseen as well."""
        if not self._firsts:
            return
        lists = _Lists.of(self._candidates, self._firsts, self._aim.k)
        reached, counts = self._fewest(lists)
        unseen = self._unseen
        fitted = [
            place
            for place, config in enumerate(self._firsts)
            if config.is_fitted and unseen is not None and config in unseen.rankings
        ]
        kept_unseen: dict[int, float] = {}
        if fitted and unseen is not None and self._aim.k <= unseen.rankings.depth:
            others = _Lists.of(unseen, [self._firsts[place] for place in fitted], self._aim.k)
            also, needed = self._fewest(others)
            reached[fitted] &= also
            counts[fitted] = np.minimum(np.maximum(counts[fitted], needed), lists.found.shape[2])
            at = np.minimum(counts[fitted], others.found.shape[2])
            kept_unseen = dict(zip(fitted, others.shares(at).mean(axis=1), strict=True))
        values = lists.shares(counts)
        lows, highs = intervals(values)
        for place, config in enumerate(self._firsts):
            whole = counts[place] >= self._rankings.n_docs
            yield FirstStage(
                config,
                int(counts[place]) if reached[place] else None,
                float(values[place].mean()),
                1.0 if whole else float(lows[place]),
                1.0 if whole else float(highs[place]),
                float(kept_unseen[place]) if place in kept_unseen else None,
            )

    def _holds_unseen(self, chain: Chain) -> bool:
        """Tell whether a chain with a fitted basis reaches the aim on documents unseen as well.

        Where nothing was held out there is nothing to ask.
        """
        if self._unseen is None or not any(s.config.is_fitted for s in chain.stages):
            return True
        tiers = held_out_tiers(chain, self._unseen, self._aim)
        if tiers is None:
            self.n_undecided += 1
            return False
        return (tiers.low if self._aim.sure else tiers.recall) >= self._aim.min_recall - 5e-7

    def _alone_or_rescored(self, first: FirstStage) -> Tiers | None:
        """Make the chain of one stage where that is enough, else with full-dimension rescoring."""
        if first.candidates is None:
            return None
        aim, baseline = self._aim, self._rankings.baseline
        chains = [chain((first.config, first.candidates), (baseline, aim.k))]
        if first.candidates == aim.k:
            # Rescoring no more than k candidates puts them in order and finds none.
            chains.insert(0, chain((first.config, aim.k)))
        for one in chains:
            need = aim.need(one, full_dim=self._rankings.full_dim)
            if aim.allows(one, need):
                return Tiers(one, first.recall, first.low, first.high, need)
        return None

    def _longer(self, best: dict[Config, Tiers]) -> Tiers | None:
        """Run chains cheaper than the best known one, cheapest first, until one reaches the aim."""
        aim = self._aim
        bound = min(map(self._cost, best.values()), default=None)
        waiting: list[tuple[tuple[float, ...], Chain, Need]] = []
        for one in self._longer_chains(bound):
            need = aim.need(one, full_dim=self._rankings.full_dim)
            cost = aim.cost(one, need)
            if aim.allows(one, need) and (bound is None or cost < bound):
                waiting.append((cost, one, need))
            if len(waiting) == MAX_RUN:
                self.cut_short = True
                break
        waiting.sort(key=lambda entry: entry[0])
        for start in range(0, len(waiting), _AT_ONCE):
            some = [entry[1] for entry in waiting[start : start + _AT_ONCE]]
            values = self._candidates.recall(some)
            self.n_considered += len(some)
            decided = ~np.isnan(values).any(axis=1)
            self.n_undecided += int((~decided).sum())
            reached = np.zeros(len(some), bool)
            reached[decided] = self._reach(values[decided])
            for place in np.flatnonzero(reached):
                if self._holds_unseen(some[place]):
                    return _figures(some[place], values[place : place + 1], self._rankings, aim)
        return None

    def _longer_chains(self, bound: tuple[float, ...] | None) -> Iterator[Chain]:
        """List chains whose later stages are not full dimension alone, cheap first stages first.

        A first stage needs as many candidates as it does before full-dimension rescoring: no
        later stage brings back what an earlier one has lost.
        """
        depth = self._rankings.depth
        most = min(depth, self._aim.max_candidates or depth)
        able = [
            first
            for first in self.first_stages
            if first.candidates is not None and self._aim.k < first.candidates <= most
        ]
        able.sort(key=lambda first: first.config.bytes_per_vector)
        for first in able:
            least = first.candidates or self._aim.k
            for configs in self._shapes(first.config):
                # A chain costs no less with more handed on: the leanest stands for its shape.
                leanest = next(self._sizes(configs, least, least))
                cost = self._aim.cost(
                    leanest, self._aim.need(leanest, full_dim=self._rankings.full_dim)
                )
                if bound is None or cost < bound:
                    yield from self._sizes(configs, least, most)

    def _shapes(self, first: Config) -> Iterator[tuple[Config, ...]]:
        """List the configurations of chains that begin with one, in order."""
        full, rescorers = self._rankings.baseline, self._rescorers(first)
        for later in rescorers:
            yield (first, later)
            yield (first, later, full)
        for free in rescorers:
            # Four stages begin with a float query on the codes that are there already.
            if stored_code(free) == stored_code(first):
                yield from ((first, free, later, full) for later in rescorers if later != free)

    def _sizes(self, configs: tuple[Config, ...], least: int, most: int) -> Iterator[Chain]:
        """List chains of these configurations, the leanest first."""
        k = self._aim.k
        if len(configs) == 2:
            for many in self._steps(least, most):
                yield chain((configs[0], many), (configs[1], k))
            return
        for many in self._steps(least, most):
            for few in self._steps(k, many)[:-1]:
                if len(configs) == 3:
                    yield chain((configs[0], many), (configs[1], few), (configs[2], k))
                    continue
                for fewer in self._steps(k, few)[: max(1, len(self._steps(k, few)) - 1)]:
                    yield chain(
                        (configs[0], many), (configs[1], few), (configs[2], fewer), (configs[3], k)
                    )

    def _steps(self, least: int, most: int) -> list[int]:
        """List numbers of candidates from `least` to `most`, both included, ever further apart."""
        steps = {round(self._aim.k * step) for step in _STEPS}
        return sorted({least, most, *(step for step in steps if least < step < most)})

    def _rescorers(self, first: Config) -> list[Config]:
        """List what a later stage may rank by: codes at least as long as the first stage's.

        Where candidates were scored directly, those configurations decide every query.
        """
        known = self._candidates.direct or dict.fromkeys(self._permitted)
        return [
            config
            for config in known
            if config != first
            and config.bytes_per_vector >= first.bytes_per_vector
            and self._aim.permits(config)
        ]


def _figures(chain: Chain, values: np.ndarray, rankings: Rankings, aim: Aim) -> Tiers:
    """Summarise (1, n_queries) of recall."""
    low, high = intervals(values)
    ends = float(low[0]), float(high[0])
    full = chain.stages[-1].config == rankings.baseline
    if all(stage.keep >= rankings.n_docs for stage in chain.stages[: -1 if full else None]):
        # Nothing is left out: the ground truth by construction, so there is nothing to infer.
        ends = 1.0, 1.0
    need = aim.need(chain, full_dim=rankings.full_dim)
    return Tiers(chain, float(values.mean()), *ends, need)


def _with_ndcg(tiers: Tiers, candidates: Candidates, judgements: Judgements | None) -> Tiers:
    return replace(tiers, ndcg=_ndcg(tiers.chain, candidates, judgements))


def _ndcg(chain: Chain, candidates: Candidates, judgements: Judgements | None) -> float | None:
    if judgements is None:
        return None
    rows, _ = candidates.results(chain)
    judged = relevance_of([rows], judgements, n_docs=candidates.rankings.n_docs, k=chain.k)
    return float(judged.ndcg.mean()) if len(judged.query_rows) else None
