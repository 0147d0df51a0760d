"""The part of the Data page for models behind an API: key, price, and what is agreed to."""

import hashlib

import streamlit as st

from mrl_explorer.data import Collection, content_stamp, passages
from mrl_explorer.embed import (
    DEFAULT_CONCURRENCY,
    Connection,
    DataSource,
    DimsCheck,
    Estimate,
    HostedName,
    Told,
    cache_stamp,
    check_client,
    check_dims,
    describe_model,
    estimate_sending,
    key_variable,
    known_price,
    needs_key,
    needs_model,
    parse_hosted,
)
from mrl_explorer.errors import InputError
from mrl_explorer.ui import jobs
from mrl_explorer.ui.problems import literal

_HELP_KEY = (
    "Sent to this host and to no other, and kept in this browser session only: it is in no link, "
    "file, cache or message."
)
_HELP_CONCURRENCY = (
    "More is faster until the provider asks to wait (429); then each request is tried again after "
    "the time it names."
)
_HELP_DIMS_CHECK = (
    "Sends up to 16 of your documents, once at full dimension and once for each trained dim, and "
    "compares what comes back with the full vectors cut and normalised here. Where they agree, "
    "every dimension measured here is what the provider would return."
)


def typed_connection(name: str) -> Connection:
    """Reach a hosted model with the key that this session typed for its host, if it has."""
    hosted = parse_hosted(name)
    if hosted is None:
        return Connection()
    # Keys in Streamlit's secrets become environment variables, where they are looked for.
    st.secrets.load_if_toml_exists()
    return Connection(st.session_state.get(_key_name(hosted)) or None)


def has_key(name: str) -> bool:
    """Tell whether a model can be asked as it is; show a field for the key where there is none.

    Raises
    ------
    InputError
        If its client library is missing.
    """
    hosted = parse_hosted(name)
    if hosted is None:
        return True
    check_client(hosted)
    if typed_connection(name).key or key_variable(hosted):
        return True
    return _show_key(hosted)


def show_sending(source: DataSource, collection: Collection) -> Connection | None:
    """Ask for what a hosted model needs; None until the reader has agreed to what is sent.

    Raises
    ------
    InputError
        If its client library is missing, before anything is asked.
    """
    hosted = None if source.model is None else parse_hosted(source.model)
    if hosted is None or not needs_model(collection):
        return Connection()
    connection = typed_connection(str(hosted))
    told = Told(source.query_prompt, source.document_prompt, source.trained_dims)
    try:
        check_client(hosted)
    except InputError:
        if _estimate(source, collection, told, None).n_texts:
            raise
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            keyed = _show_key(hosted)
            price = _show_price(hosted)
            concurrency = st.number_input(
                "Requests at once",
                1,
                64,
                DEFAULT_CONCURRENCY,
                key="hosted concurrency",
                persist_state="session",
                width=150,
                help=_HELP_CONCURRENCY,
            )
        connection = Connection(connection.key, concurrency=int(concurrency))
        estimate = _estimate(source, collection, told, price)
        agreed = _show_agreement(hosted, estimate)
        if estimate.n_texts and not (keyed and agreed):
            missing = [] if keyed else ["a key"]
            missing += [] if agreed else ["your agreement to send the texts"]
            st.caption(f"Evaluate waits for {' and '.join(missing)}.")
        _show_dims_check(hosted, source, collection, connection, ready=keyed)
    if not estimate.n_texts:
        return connection
    if not keyed or not agreed:
        return None
    return Connection(connection.key, confirmed=True, concurrency=connection.concurrency)


def _key_name(hosted: HostedName) -> str:
    return f"key for {hosted.host}"


def _show_key(hosted: HostedName) -> bool:
    """Ask for the key; tell whether there is one, or none is needed."""
    variable = key_variable(hosted)
    if variable:
        label = "used: the one of this server"
    else:
        label = "needed" if needs_key(hosted) else "none"
    typed = st.text_input(
        f"Key for {literal(hosted.host)}",
        type="password",
        key=_key_name(hosted),
        persist_state="session",
        width=300,
        placeholder=label,
        autocomplete="off",
        help=_HELP_KEY
        + (f" This server has one in {variable}; typing another uses yours." if variable else ""),
    )
    return bool(typed or variable or not needs_key(hosted))


def _show_price(hosted: HostedName) -> float | None:
    price = known_price(hosted)
    stated = (
        "No public source at hand states it."
        if price is None
        else f"${price.dollars:g} by {price.source} ({price.date}); change it to what you pay."
    )
    value: float | None = st.number_input(
        "\\$ per million tokens",
        0.0,
        1000.0,
        None if price is None else price.dollars,
        step=0.01,
        format="%.3f",
        key=f"price of {hosted}",
        persist_state="session",
        width=190,
        placeholder="not known",
        help=literal(stated),
    )
    return value


def _estimate(
    source: DataSource, collection: Collection, told: Told, price: float | None
) -> Estimate:
    stamps = [content_stamp(path) for path in source.paths]
    key = repr((source, stamps, cache_stamp()))
    return _estimate_once(str(source.model), collection, told, price, key)


@st.cache_data(show_spinner="Counting what would be sent", max_entries=8, scope="session")
def _estimate_once(
    name: str, _collection: Collection, _told: Told, price: float | None, key: str
) -> Estimate:
    return estimate_sending(name, _collection, _told, price=price)


def _show_agreement(hosted: HostedName, estimate: Estimate) -> bool:
    st.text(estimate.sentence)
    if not estimate.n_texts:
        return True
    # Another model, other texts or another price are agreed to anew.
    asked = hashlib.sha256(repr((str(hosted), estimate)).encode()).hexdigest()
    return bool(
        st.checkbox(
            f"Send them to {literal(hosted.host)}",
            key=f"send {asked}",
            help="Nothing is sent before this is ticked and Evaluate is pressed. A typed query is "
            "one text more each time. Tokens are estimated, one for 4 bytes.",
        )
    )


def _show_dims_check(
    hosted: HostedName,
    source: DataSource,
    collection: Collection,
    connection: Connection,
    *,
    ready: bool,
) -> None:
    """Offer to compare the provider's cuts with local ones."""
    known = describe_model(str(hosted))
    offered = hosted.endpoint is not None or (
        known.entry is None or known.entry.dim_parameter is not None
    )
    documents = collection.documents
    if not offered or documents.texts is None:
        return
    dims = source.trained_dims or known.matryoshka.dims
    state = f"dims check {hosted}"

    def keep(check: DimsCheck) -> None:
        st.session_state[state] = check

    if st.button(
        "Does one download serve every dim?",
        icon=":material/difference:",
        disabled=not ready or len(dims) < 2 or jobs.running("dims check"),
        help=_HELP_DIMS_CHECK
        + ("" if len(dims) > 1 else " Name trained dims above, full dimension among them."),
    ):
        texts = passages(documents)
        jobs.begin(
            "dims check",
            lambda on_progress: check_dims(
                str(hosted), texts, dims=dims, connection=connection, on_progress=on_progress
            ),
            then=keep,
        )
        st.rerun()
    jobs.show("dims check")
    if check := st.session_state.get(state):
        _show_check(check)


def _show_check(check: DimsCheck) -> None:
    st.text(check.verdict)
    st.dataframe(
        {
            "dim": [cut.dim for cut in check.cuts],
            "least cosine": [f"{cut.least_cosine:.6f}" for cut in check.cuts],
            "same cut": ["yes" if cut.same else "no" for cut in check.cuts],
            "length 1": ["yes" if cut.unit_length else "no" for cut in check.cuts],
        },
        hide_index=True,
        width=420,
    )
