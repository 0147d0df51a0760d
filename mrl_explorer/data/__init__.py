"""Documents, queries and judgements, and the files they come from."""

from mrl_explorer.data.beir import is_collection, read_beir, read_collection
from mrl_explorer.data.collection import (
    Collection,
    Judgements,
    Records,
    make_records,
    own_rows,
    passages,
)
from mrl_explorer.data.columns import Columns, detect_columns
from mrl_explorer.data.folders import content_stamp
from mrl_explorer.data.judgements import JUDGEMENT_EXTENSIONS, read_judgements
from mrl_explorer.data.overview import (
    CollectionOverview,
    Overview,
    count_longer,
    describe_collection,
)
from mrl_explorer.data.pairs import read_pairs
from mrl_explorer.data.readers import (
    EXTENSIONS,
    default_splitting,
    holds_vectors,
    is_whole,
    list_columns,
    read_records,
    with_vectors,
)
from mrl_explorer.data.splitting import WHOLE, Splitting, is_passage_id, split_records
from mrl_explorer.data.strings import Strings

__all__ = [
    "EXTENSIONS",
    "JUDGEMENT_EXTENSIONS",
    "WHOLE",
    "Collection",
    "CollectionOverview",
    "Columns",
    "Judgements",
    "Overview",
    "Records",
    "Splitting",
    "Strings",
    "content_stamp",
    "count_longer",
    "default_splitting",
    "describe_collection",
    "detect_columns",
    "holds_vectors",
    "is_collection",
    "is_passage_id",
    "is_whole",
    "list_columns",
    "make_records",
    "own_rows",
    "passages",
    "read_beir",
    "read_collection",
    "read_judgements",
    "read_pairs",
    "read_records",
    "split_records",
    "with_vectors",
]
