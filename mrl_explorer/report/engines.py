"""What is known of the engine that will hold a recommendation, in sentences."""

from mrl_explorer.decide.cost import Production, memory, stores
from mrl_explorer.decide.engines import ENGINES, Engine
from mrl_explorer.decide.recommendation import Choice, Recommendation
from mrl_explorer.retrieval.config import Config

ANY = "any"
"""What choosing no engine is called."""

_BASES = {
    "measured": "by a formula that was checked against real indexes",
    "documented": "by its maker's own rule, not measured here",
}


def engine_name(name: str) -> str:
    """Give an engine's name for the reader by its name in files."""
    return ENGINES[name].label if name in ENGINES else name


def source_text(name: str) -> str:
    """Say where the formula of an engine stands; with `ANY`, usearch's."""
    engine = ENGINES.get(name, ENGINES["usearch"])
    stored = "" if name in ENGINES else ", which stands in for any,"
    return (
        f"RAM and disk of {engine.label}{stored} are projected {_BASES[engine.basis]}: "
        f"{engine.source}."
    )


def engine_notes(found: Recommendation) -> tuple[str, ...]:
    """Say how the engine stores what is recommended; nothing when nothing is.

    Returns
    -------
    tuple of str
        Its own encoding, with what was set, and how its codes differ; shards when there is more
        than one; where the vectors for rescoring are. Without an engine, whose memory is shown and
        who stores such codes.
    """
    if found.choice is None:
        return ()
    production = found.production
    if production.engine is None:
        return (_any_text(found.choice.config),)
    return tuple(_notes(ENGINES[production.engine], found, found.choice))


def _notes(engine: Engine, found: Recommendation, choice: Choice) -> list[str]:
    config, production = choice.config, found.production
    encoding = engine.encoding(config)
    settings = ", ".join(
        f"{name} = {value}{' (default)' if value == engine.parameters[name].default else ''}"
        for name, value in engine.settings(dict(production.parameters)).items()
    )
    notes = [
        f"{engine.label} stores {_codes(config)} as {encoding}"
        f"{f', with {settings}' if settings else ''}."
    ]
    if encoding.note:
        notes.append(f"How its codes differ from those measured here: {encoding.note}")
    taken = memory(
        config,
        production=production,
        full_dim=found.baseline.config.dim,
        rescore=choice.cutoff.rescore,
    )
    if taken.shards > 1:
        notes.append(
            f"One index of it holds {engine.max_vectors:,} vectors at most: these need "
            f"{taken.shards:,} shards."
        )
    if choice.cutoff.rescore:
        notes.append(f"Rescoring: {engine.rescoring}")
    return notes


def _any_text(config: Config) -> str:
    storing = [
        engine.label for name, engine in ENGINES.items() if stores(config, Production(engine=name))
    ]
    others = [engine.label for engine in ENGINES.values() if engine.label not in storing]
    text = "RAM and disk are those of an HNSW graph as usearch's, with M = 16"
    if not others:
        return f"{text}."
    if not storing:
        return f"{text}; none of {len(ENGINES)} engines stores {_codes(config)}."
    if len(storing) < len(others):
        verb = "stores" if len(storing) == 1 else "store"
        return f"{text}; of {len(ENGINES)} engines only {_list(storing)} {verb} {_codes(config)}."
    return f"{text}; {_codes(config)} is not stored by {_list(others)}."


def _codes(config: Config) -> str:
    return f"{config.dim}d {config.quantization}"


def _list(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
