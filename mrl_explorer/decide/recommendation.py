"""The cheapest option that holds what must hold, and how sure that is."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mrl_explorer.decide.cost import Need, Production, check_production, need, stores
from mrl_explorer.decide.options import Kept, Options
from mrl_explorer.decide.stability import Stability, half_splits
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff


@dataclass(frozen=True, slots=True)
class Constraints:
    """What must hold. None sets no bound.

    Attributes
    ----------
    min_recall : float or None
        recall@k at least, as a share.
    min_ndcg_kept : float or None
        Share of full dimension's nDCG@k at least.
    on_mean : bool
        Whether the two are asked of the mean; otherwise of the lower end, which allows for the
        choice among all configurations.
    max_bytes_per_vector, max_ram, max_disk, max_cost : float or None
        Bytes, bytes, bytes and US dollars a month, at most.
    dims, quantizations, bases : tuple or None
        Only these.
    rescore : bool
        Whether candidates may be re-ordered by a full-dimension copy on disk.
    """

    min_recall: float | None = 0.95
    min_ndcg_kept: float | None = None
    on_mean: bool = False
    max_bytes_per_vector: float | None = None
    max_ram: float | None = None
    max_disk: float | None = None
    max_cost: float | None = None
    dims: tuple[int, ...] | None = None
    quantizations: tuple[str, ...] | None = None
    bases: tuple[str, ...] | None = None
    rescore: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One option with its figures.

    Attributes
    ----------
    config : Config
        What is stored.
    cutoff : Cutoff
        k, and how candidates are rescored.
    recall, recall_low, recall_high : float
        Mean recall@k and its own 95% interval, held out if `held_out`.
    joint_low : float
        The lower end that allows for the choice among all configurations; it is what must hold.
    held_out : bool
        Whether these figures are held out.
    ndcg_kept, ndcg_kept_low : float or None
        Share of full dimension's nDCG@k and its simultaneous lower end.
    need : Need
        RAM, disk and cost.
    confirmed : bool
        Whether the basis is fitted and these figures are no higher than held-out ones.
    ndcg_held_out : bool
        Whether the share of nDCG is held out.
    """

    config: Config
    cutoff: Cutoff
    recall: float
    recall_low: float
    recall_high: float
    joint_low: float
    held_out: bool
    ndcg_kept: float | None
    ndcg_kept_low: float | None
    need: Need
    confirmed: bool = False
    ndcg_held_out: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A constraint that an option breaks, or that could be relaxed.

    Attributes
    ----------
    name : str
        The field of `Constraints`.
    wanted : float or None
        What it asks; None for a list of names.
    got : float, int, str or bool
        What the option has.
    """

    name: str
    wanted: float | None
    got: float | int | str | bool


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One constraint to relax so that something holds.

    Attributes
    ----------
    failure : Failure
        Which, and to what.
    choice : Choice
        What would hold then.
    """

    failure: Failure
    choice: Choice


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to run, and what stands beside it.

    Attributes
    ----------
    constraints : Constraints
        What had to hold.
    production : Production
        What it was reckoned for.
    choice : Choice or None
        The cheapest option that holds; None when nothing does.
    baseline : Choice
        Full dimension.
    runner_up : Choice or None
        The next in cost that holds, of another configuration.
    cheaper : Choice or None
        The nearest cheaper configuration, which does not hold.
    cheaper_failures : tuple of Failure
        Why not.
    relaxations : tuple of Relaxation
        When nothing holds: each constraint that alone could be relaxed, by the least.
    closest : Choice or None
        When no single relaxation helps: of the names allowed, the cheapest option that is good
        enough, or the best where none is.
    closest_failures : tuple of Failure
        What would have to be relaxed for it.
    stability : Stability or None
        How the choice fares on halves of the queries; None with fewer than four.
    n_configs, n_queries, n_docs : int
        Configurations compared, queries and documents measured on.
    """

    constraints: Constraints
    production: Production
    choice: Choice | None
    baseline: Choice
    runner_up: Choice | None = None
    cheaper: Choice | None = None
    cheaper_failures: tuple[Failure, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    closest: Choice | None = None
    closest_failures: tuple[Failure, ...] = ()
    stability: Stability | None = None
    n_configs: int = 0
    n_queries: int = 0
    n_docs: int = 0


def check_constraints(options: Options, constraints: Constraints) -> None:
    """Refuse constraints that cannot be asked of this evaluation.

    Raises
    ------
    InputError
        If no quality is asked for, a bound is out of range, nDCG is asked for without
        judgements, or the run has none of the dims, quantizations or bases.
    """
    if constraints.min_recall is None and constraints.min_ndcg_kept is None:
        raise InputError("Say what must hold: a recall, or a share of nDCG to keep.")
    for name, value in (
        ("The recall", constraints.min_recall),
        ("The share of nDCG to keep", constraints.min_ndcg_kept),
    ):
        if value is not None and not 0 < value <= 1:
            raise InputError(f"{name} must lie above 0 and at most at 1, and {value:g} does not.")
    for name, value in (
        ("bytes per vector", constraints.max_bytes_per_vector),
        ("bytes of RAM", constraints.max_ram),
        ("bytes of disk", constraints.max_disk),
        ("cost", constraints.max_cost),
    ):
        if value is not None and not value >= 0:
            raise InputError(f"The largest {name} must be 0 or more, and {value:g} is not.")
    if constraints.min_ndcg_kept is not None and options.kept is None:
        raise InputError(
            "This evaluation has no judgements with a relevant document, so there is no nDCG to "
            "keep: set a recall instead, or evaluate with judgements."
        )
    _check_names("dims", constraints.dims, sorted({c.dim for c in options.configs}))
    _check_names(
        "quantizations",
        constraints.quantizations,
        list(dict.fromkeys(c.quantization for c in options.configs)),
    )
    _check_names("bases", constraints.bases, list(dict.fromkeys(c.basis for c in options.configs)))


def _check_names(what: str, wanted: Sequence[object] | None, there: Sequence[object]) -> None:
    if wanted is not None and not set(wanted) & set(there):
        named = ", ".join(map(str, wanted)) or "none"
        raise InputError(
            f"Of the {what} asked for ({named}) this run has none: it covers "
            f"{', '.join(map(str, there))}."
        )


def recommend(
    options: Options,
    constraints: Constraints,
    *,
    production: Production | None = None,
) -> Recommendation:
    """Find the cheapest option that holds.

    Options are put in the order of their cost; at the same cost, less RAM and disk, then the native
    basis, which needs no matrix kept with the index, then the configuration with the better recall,
    then fewer candidates. The first that holds is the choice: so for each configuration it is the
    smallest oversample that reaches the target.

    Parameters
    ----------
    options : Options
        What could be run.
    constraints : Constraints
        What must hold.
    production : Production
        What it is reckoned for.

    Raises
    ------
    InputError
        If the constraints cannot be asked of this evaluation.
    """
    production = production or Production()
    check_production(production)
    check_constraints(options, constraints)
    if constraints.rescore:
        options = options.rescored
    field_of_choice = _Field(options, constraints, production)
    base = field_of_choice.baseline()
    common = Recommendation(
        constraints,
        production,
        None,
        base,
        n_configs=len(options.configs),
        n_queries=options.n_queries,
        n_docs=options.evaluation.rankings.n_docs,
    )
    holding = field_of_choice.holding()
    if not len(holding):
        relaxations = [*field_of_choice.relaxations(), *_with_rescoring(options, common)]
        closest = None if relaxations else field_of_choice.closest()
        return replace(
            common,
            relaxations=tuple(relaxations),
            closest=None if closest is None else field_of_choice.choice(closest),
            closest_failures=() if closest is None else field_of_choice.failures(closest),
        )
    first = int(holding[0])
    chosen = field_of_choice.choice(first)
    others = [i for i in holding[1:] if field_of_choice.config(i) != chosen.config]
    cheaper = field_of_choice.next_cheaper(first)
    return replace(
        common,
        choice=chosen,
        runner_up=field_of_choice.choice(int(others[0])) if others else None,
        cheaper=None if cheaper is None else field_of_choice.choice(cheaper),
        cheaper_failures=() if cheaper is None else field_of_choice.failures(cheaper),
        stability=field_of_choice.stability(first),
    )


def _with_rescoring(options: Options, failed: Recommendation) -> Iterator[Relaxation]:
    """Allow rescoring where nothing holds without it."""
    if failed.constraints.rescore:
        return
    allowed = replace(failed.constraints, rescore=True)
    found = recommend(options, allowed, production=failed.production)
    if found.choice is not None:
        yield Relaxation(Failure("rescore", None, True), found.choice)


@dataclass(frozen=True, slots=True)
class _Check:
    """One constraint over all options.

    Attributes
    ----------
    name : str
        The field of `Constraints`.
    wanted : float or None
        Its bound.
    got : np.ndarray
        (n_options,) what each option has.
    holds : np.ndarray
        (n_options,) bool.
    sign : int
        1 where more is better, -1 where less is, 0 for a list of names.
    """

    name: str
    wanted: float | None
    got: np.ndarray
    holds: np.ndarray
    sign: int


@dataclass(eq=False)
class _Field:
    """All options in the order of preference, with what each constraint makes of them."""

    options: Options
    constraints: Constraints
    production: Production
    _needs: dict[tuple[Config, bool], Need] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options = self.options
        n_cutoffs, n_configs = options.mean.shape
        full_dim = options.evaluation.rankings.full_dim
        for config in options.configs:
            for rescore in (False, True):
                self._needs[config, rescore] = need(
                    config, production=self.production, full_dim=full_dim, rescore=rescore
                )
        quality = -options.joint_low[0]
        places = [(cut, place) for cut in range(n_cutoffs) for place in range(n_configs)]

        def preference(option: tuple[int, int]) -> tuple[float, ...]:
            cut, place = option
            config = options.configs[place]
            needs = self._needs[config, cut > 0]
            return (
                needs.cost,
                needs.ram,
                needs.disk,
                float(config.basis != "native"),
                float(quality[place]),
                place,
                cut,
            )

        places.sort(key=preference)
        self.cuts = np.array([cut for cut, _ in places])
        self.places = np.array([place for _, place in places])
        self.costs = np.array([self._needs[options.configs[p], c > 0].cost for c, p in places])
        self.checks = tuple(self._list_checks())
        self.holds = self._all({check.name for check in self.checks})

    def config(self, option: int) -> Config:
        return self.options.configs[self.places[option]]

    def needs(self, option: int) -> Need:
        return self._needs[self.config(option), bool(self.cuts[option] > 0)]

    def baseline(self) -> Choice:
        place = self.options.configs.index(self.options.evaluation.rankings.baseline)
        return self.choice(int(np.flatnonzero((self.places == place) & (self.cuts == 0))[0]))

    @property
    def kept(self) -> Kept | None:
        """NDCG of the options, which takes a while, where a share of it must hold."""
        return None if self.constraints.min_ndcg_kept is None else self.options.kept

    def _list_checks(self) -> Iterator[_Check]:
        wanted, options = self.constraints, self.options
        n = len(self.cuts)
        if wanted.min_recall is not None:
            table = options.mean if wanted.on_mean else options.joint_low
            got = table[self.cuts, self.places]
            yield _Check("min_recall", wanted.min_recall, got, got >= wanted.min_recall, 1)
        if wanted.min_ndcg_kept is not None and self.kept is not None:
            table = self.kept.share if wanted.on_mean else self.kept.low
            got = table[self.cuts, self.places]
            yield _Check("min_ndcg_kept", wanted.min_ndcg_kept, got, got >= wanted.min_ndcg_kept, 1)
        needs = [self.needs(option) for option in range(n)]
        configs = [self.config(option) for option in range(n)]
        for name, amounts in (
            ("max_bytes_per_vector", [config.bytes_per_vector for config in configs]),
            ("max_ram", [one.ram for one in needs]),
            ("max_disk", [one.disk for one in needs]),
            ("max_cost", [one.cost for one in needs]),
        ):
            most = getattr(wanted, name)
            if most is not None:
                got = np.array(amounts, dtype=float)
                yield _Check(name, most, got, got <= most, -1)
        for name, kind in (("dims", "dim"), ("quantizations", "quantization"), ("bases", "basis")):
            allowed = getattr(wanted, name)
            if allowed is not None:
                got = np.array([getattr(config, kind) for config in configs], dtype=object)
                yield _Check(name, None, got, np.isin(got, np.array(allowed, dtype=object)), 0)
        if self.production.engine is not None:
            held = {config: stores(config, self.production) for config in options.configs}
            got = np.array([held[config] for config in configs])
            yield _Check("engine", None, got, got, 0)

    def choice(self, option: int) -> Choice:
        options = self.options
        at = self.cuts[option], self.places[option]
        kept = self.kept
        return Choice(
            self.config(option),
            options.cutoffs[at[0]],
            float(options.mean[at]),
            *options.interval(self.config(option), options.cutoffs[at[0]]),
            float(options.joint_low[at]),
            bool(options.held_out[at]),
            None if kept is None else float(kept.share[at]),
            None if kept is None else float(kept.low[at]),
            self.needs(option),
            options.is_confirmed(self.config(option)) and not options.held_out[at],
            kept is not None and bool(kept.held_out[at]),
        )

    def holding(self) -> np.ndarray:
        return np.flatnonzero(self.holds)

    def failures(self, option: int) -> tuple[Failure, ...]:
        """List the constraints that an option breaks."""
        return tuple(
            Failure(check.name, check.wanted, check.got[option])
            for check in self.checks
            if not check.holds[option]
        )

    def next_cheaper(self, chosen: int) -> int | None:
        """Give the option next below the choice in cost that was allowed and fell short.

        Of those that cost the same it is the one that falls short by the least.
        """
        cheaper = self.costs < self.costs[chosen]
        able = np.flatnonzero(self._all(self._limits()) & cheaper)
        able = able[[self.config(int(option)) != self.config(chosen) for option in able]]
        if not len(able):
            return None
        able = able[self.costs[able] == self.costs[able].max()]
        return int(able[np.argmax(self._quality().got[able])])

    def relaxations(self) -> Iterator[Relaxation]:
        """For each constraint, the least relaxation of it alone that lets something hold."""
        for check in self.checks:
            others = {other.name for other in self.checks} - {check.name}
            able = np.flatnonzero(self._all(others))
            if not len(able):
                continue
            place = int(np.argmax(check.sign * check.got[able])) if check.sign else 0
            option = int(able[place])
            yield Relaxation(
                Failure(check.name, check.wanted, check.got[option]), self.choice(option)
            )

    def closest(self) -> int | None:
        """Give the cheapest option of allowed names that is good enough, or the best of them."""
        names = {check.name for check in self.checks if not check.sign}
        good = np.flatnonzero(self._all(names | set(_QUALITY)))
        if len(good):
            return int(good[0])
        able = np.flatnonzero(self._all(names))
        return int(able[np.argmax(self._quality().got[able])]) if len(able) else None

    def _quality(self) -> _Check:
        return next(check for check in self.checks if check.name in _QUALITY)

    def _all(self, names: Container[str]) -> np.ndarray:
        """Tell which options pass all checks of these names: (n_options,) bool."""
        passing = np.ones(len(self.cuts), dtype=bool)
        for check in self.checks:
            if check.name in names:
                passing &= check.holds
        return passing

    def _limits(self) -> set[str]:
        return {check.name for check in self.checks} - set(_QUALITY)

    def stability(self, chosen: int) -> Stability | None:
        """Choose again on halves of the queries."""
        wanted, options, kept = self.constraints, self.options, self.kept
        able = np.flatnonzero(self._all(self._limits()))
        cuts, places = self.cuts[able], self.places[able]
        targets = []
        if wanted.min_recall is not None:
            first, second = (half[:, cuts, places] for half in options.halves)
            mean, low = options.mean[cuts, places], options.joint_low[cuts, places]
            slack = np.zeros(len(able)) if wanted.on_mean else mean - low
            targets.append((first, second, slack, wanted.min_recall))
        if wanted.min_ndcg_kept is not None and kept is not None:
            first, second = (half[:, cuts, places] for half in kept.halves)
            share = kept.share[cuts, places]
            slack = np.zeros(len(able)) if wanted.on_mean else share - kept.low[cuts, places]
            targets.append((first, second, slack, wanted.min_ndcg_kept))
        place = int(np.flatnonzero(able == chosen)[0])
        return half_splits(targets, chosen=place, n_queries=options.n_queries)


_QUALITY = ("min_recall", "min_ndcg_kept")
