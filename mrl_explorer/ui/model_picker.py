"""The part of the Data page that asks for the model: which one, and what is known of it."""

from dataclasses import replace

import streamlit as st

from mrl_explorer.data import Collection, count_longer
from mrl_explorer.embed import (
    REGISTRY,
    DataSource,
    Description,
    ModelEntry,
    Prompt,
    describe_model,
    is_hosted,
    needs_model,
)
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.run_panel import parse_dims

_OTHER = "another model"
_ENDPOINT = "a server of your own (OpenAI-compatible)"
_LOADABLE = [name for name, entry in REGISTRY.items() if entry.loads]
_HELP_MODEL = (
    "wordllama-256 and minilm-384 are bundled and need no download. wordllama-256: static, "
    "Matryoshka, 50,000 short texts a minute and more on a laptop. minilm-384: a standard "
    "transformer, slower. Names with a colon (openai:...) run at their provider: your texts are "
    "sent there, for a price that is shown first. The others are downloaded from the hub once."
)
_HELP_TABLE = (
    "Click a row to use that model. Matryoshka: whether it was trained to be cut. Dims: those it "
    "was trained for, which become stops of the slider. Prompts: text that goes before queries and "
    "before documents. Unknown and empty cells: no public source says."
)
_HELP_DIMS = (
    "Comma-separated: dims the model was trained to be cut at. They become stops of the slider."
)


def show_model(source: DataSource, collection: Collection) -> DataSource:
    """Ask which model embeds the texts, or which one made the vectors that are there."""
    if not needs_model(collection):
        return _show_maker(source, collection)
    st.subheader("Model", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Embed with",
            [*_LOADABLE, _ENDPOINT, _OTHER],
            key="model",
            persist_state="session",
            width=440,
            on_change=_forget_click,
            help=_HELP_MODEL,
        )
        if name == _ENDPOINT:
            name = _ask_endpoint()
        elif name == _OTHER:
            name = st.text_input(
                "A folder on this server, an id on the hub, or provider:model",
                key="model name",
                persist_state="session",
                width=440,
                placeholder="sentence-transformers/paraphrase-MiniLM-L6-v2",
                help="A folder that SentenceTransformer.save wrote is never looked up elsewhere. "
                "Its own files tell whether it is Matryoshka: yes, likely or unknown.",
            ).strip()
    _show_table()
    if not name:
        return replace(source, model=None)
    known = describe_model(name)
    _show_facts(known)
    _show_cut(known, collection)
    return _show_details(replace(source, model=name), known)


def _ask_endpoint() -> str:
    """Ask for a model behind an API that speaks OpenAI's protocol; "" until it is named."""
    address = st.text_input(
        "Its address",
        key="endpoint address",
        persist_state="session",
        width=280,
        placeholder="https://host/v1",
        help="Of any API that speaks OpenAI's protocol: Azure, vLLM, Text Embeddings Inference, "
        "Ollama, LM Studio and more. Addresses in this server's own network can be used where "
        "its owner lists them in MRL_EXPLORER_ALLOW_ENDPOINTS.",
    ).strip()
    model = st.text_input(
        "Its model",
        key="endpoint model",
        persist_state="session",
        width=220,
        placeholder="nomic-embed-text",
        help="The id by which that server knows it. Add #256 to ask for so many dims.",
    ).strip()
    return f"openai:{model}@{address}" if address and model else ""


def _show_table() -> None:
    """Let the reader search the registry and choose by a click."""
    with st.expander(f"Compare the {len(REGISTRY)} known models", icon=":material/table_rows:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            words = st.text_input(
                "Search",
                key="model search",
                width=300,
                placeholder="for example nomic, 768, apache, hosted",
                help=_HELP_TABLE,
            )
            trained = st.toggle(
                "Matryoshka only",
                key="model search trained",
                help="Leaves out models that were not trained to be cut, or of which it is not "
                "known.",
            )
            st.caption("Click a row to use that model.")
        found = [
            entry
            for entry in REGISTRY.values()
            if matches(entry, words) and (entry.matryoshka or not trained)
        ]
        if not found:
            st.info("No known model has these words. Any other is chosen by its name above.")
            return
        key = f"model table {words} {trained} {st.session_state.get('model table', 0)}"

        def use_clicked() -> None:
            rows = st.session_state[key]["selection"]["rows"]
            if rows and found[rows[0]].loads:
                st.session_state["model"] = found[rows[0]].name

        rows = [{**entry.as_dict(), "source": entry.sources[0]} for entry in found]
        event = st.dataframe(
            {head: [row[head] for row in rows] for head in rows[0]},
            hide_index=True,
            height=min(38 + 35 * len(rows), 318),
            key=key,
            on_select=use_clicked,
            selection_mode="single-row",
            placeholder="",
            column_config={
                "model": st.column_config.TextColumn(
                    width=250, pinned=True, help="Bundled name, id on the hub, or provider/model."
                ),
                "licence": st.column_config.TextColumn(
                    width="small", help="As its publisher states it."
                ),
                "access": st.column_config.TextColumn(
                    help="bundled: no download. hub: downloaded once. hosted: runs at its provider."
                ),
                "$ per million tokens": st.column_config.NumberColumn(
                    format="$%.3f", help="What a hosted model costs, as far as it is known."
                ),
                "full dim": st.column_config.NumberColumn(format="%d", help="Dims, nothing cut."),
                "max tokens": st.column_config.NumberColumn(
                    format="%d", help="Tokens of a text that it reads; the rest is cut off."
                ),
                "source": st.column_config.LinkColumn(
                    display_text="open", width="small", help="Where these facts are stated."
                ),
            },
        )
        chosen = event["selection"]["rows"]
        if chosen and (entry := found[chosen[0]]).obstacle:
            st.info(literal(f"{entry.name} {entry.obstacle}."), icon=":material/info:")


def _forget_click() -> None:
    """Start a new table, without the row that was clicked before another model was chosen."""
    st.session_state["model table"] = st.session_state.get("model table", 0) + 1


def matches(entry: ModelEntry, words: str) -> bool:
    """Tell whether every word occurs in the cells of an entry."""
    text = " ".join(str(cell) for cell in entry.as_dict().values()).lower()
    return all(word in text for word in words.lower().split())


def _show_cut(known: Description, collection: Collection) -> None:
    """Warn of texts that are longer than the chosen model reads."""
    limit = None if known.entry is None else known.entry.max_tokens
    if limit is None:
        return
    sides = (("documents", collection.documents), ("queries", collection.queries))
    longer = [
        f"{n:,} of the {len(records):,} {what}"
        for what, records in sides
        if records.vectors is None and (n := count_longer(records, limit))
    ]
    if longer:
        hosted = known.entry is not None and known.entry.access == "hosted"
        exactly = "" if hosted else "; counted exactly once it runs"
        st.warning(
            f"Longer than the {limit:,} tokens that this model reads: about "
            f"{' and '.join(longer)} (a token for 4 bytes{exactly}). The rest of each is cut off "
            "and never found: split documents into passages, or choose a model that reads more.",
            icon=":material/content_cut:",
        )


def _show_facts(known: Description) -> None:
    """Say in one line what is known of the chosen model, and in another what stands against it."""
    entry = known.entry
    facts = []
    if entry is not None:
        facts.append(f"{entry.full_dim:,} dims")
    facts.append(matryoshka_text(known))
    if entry is not None and entry.max_tokens is not None:
        facts.append(f"reads {entry.max_tokens:,} tokens of a text")
    if known.licence:
        facts.append(f"licence: {known.licence}")
    st.caption(literal(" · ".join(facts)))
    if entry is not None and entry.obstacle:
        st.warning(literal(f"{entry.name} {entry.obstacle}."), icon=":material/warning:")
    elif entry is not None and entry.needs_code:
        st.caption(
            "Its files bring program code of their own, which runs only where the server's owner "
            "lists the model in MRL_EXPLORER_ALLOW_REMOTE_CODE."
        )


def matryoshka_text(known: Description) -> str:
    """Say whether a model was trained to be cut, and how that is known."""
    found = known.matryoshka
    verdict = {
        "yes": "Matryoshka",
        "likely": "likely Matryoshka",
        "no": "not trained as Matryoshka",
        "unknown": "Matryoshka or not: unknown",
    }[found.verdict]
    if found.dims:
        verdict += f", trained at {', '.join(map(str, found.dims))}"
    elif known.entry is not None and known.entry.dims_text:
        verdict += f", {known.entry.dims_text}"
    return verdict if known.entry is not None else f"{verdict} ({found.reason})"


def _show_details(source: DataSource, known: Description) -> DataSource:
    """Show prompts and trained dims, and let the reader overrule them."""
    name = source.model
    listed = known.entry is not None
    label = "Prompts and trained dims" if listed else "Prompts and trained dims of this model"
    with st.expander(label, expanded=not listed, icon=":material/edit_note:"):
        if not listed:
            held = (
                "Empty fields add nothing to your texts; its documentation says what it expects."
                if name is not None and is_hosted(name)
                else "Left as they are, these fields hold what its own files say."
            )
            st.caption(f"This model is not among the known ones. {held}")
        with st.grid(2, min_column_width=300):
            query = _ask_prompt("query", name, known.query_prompt)
            document = _ask_prompt("document", name, known.document_prompt)
        dims = st.text_input(
            "Trained dims",
            ", ".join(map(str, known.matryoshka.dims)),
            key=f"trained dims {name}",
            persist_state="session",
            width=300,
            placeholder="not known",
            help=_HELP_DIMS,
        )
    chosen = parse_dims(dims)
    return replace(
        source,
        query_prompt=query,
        document_prompt=document,
        trained_dims=None if chosen == (known.matryoshka.dims or None) else chosen or (),
    )


def _ask_prompt(kind: str, name: str | None, prompt: Prompt) -> str | None:
    """Ask for a prompt; None leaves it as it is known."""
    origin = {"nobody": "no source names one", "you": "as you set it"}.get(
        prompt.stated_by, f"from {prompt.stated_by}"
    )
    # An area and not a line: prompts may hold line breaks.
    text = st.text_area(
        f"Before each {kind}",
        prompt.text,
        key=f"{kind} prompt {name}",
        persist_state="session",
        height=70,
        placeholder="nothing",
        help=f"Put before every {kind} exactly as written, spaces at the end included "
        f"({origin}). The wrong prompt costs relevance without any error.",
    )
    return None if text == prompt.text else text


def _show_maker(source: DataSource, collection: Collection) -> DataSource:
    """Ask, where all vectors are ready, which known model made them; nobody has to say."""
    vectors = collection.documents.vectors
    if vectors is None:
        return source
    dim = vectors.shape[1]
    candidates = [
        name for name, entry in REGISTRY.items() if dim == entry.full_dim or dim in entry.dims
    ]
    st.caption("Both sides have vectors, so no model is needed to evaluate.")
    if not candidates:
        return source
    name = st.selectbox(
        "Which model made these vectors? (optional)",
        [None, *candidates],
        format_func=lambda name: "not said" if name is None else name,
        key=f"maker {dim}",
        persist_state="session",
        width=440,
        help=f"Known models with {dim:,} dims. The dims it was trained at become stops of the "
        "slider, and the name is kept with the run. Nothing is sent to it.",
    )
    return replace(source, model=name)
