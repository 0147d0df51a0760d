"""Documents, queries and judgements, and the files they come from."""

from mrl_explorer.data.beir import read_beir
from mrl_explorer.data.collection import (
    Collection,
    Judgements,
    Records,
    make_records,
    own_rows,
    passages,
)
from mrl_explorer.data.columns import Columns, detect_columns
from mrl_explorer.data.judgements import read_judgements
from mrl_explorer.data.readers import EXTENSIONS, list_columns, read_records, with_vectors

__all__ = [
    "EXTENSIONS",
    "Collection",
    "Columns",
    "Judgements",
    "Records",
    "detect_columns",
    "list_columns",
    "make_records",
    "own_rows",
    "passages",
    "read_beir",
    "read_judgements",
    "read_records",
    "with_vectors",
]
