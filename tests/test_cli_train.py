"""`train` and `adapt` on a small model whose answer is known."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from mrl_explorer.cli import main
from mrl_explorer.data import read_pairs
from mrl_explorer.decide.training import split_pairs, train_student
from mrl_explorer.embed import embed_collection, load_model
from mrl_explorer.embed.training import Head
from mrl_explorer.errors import InputError

N_PAIRS = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model whose first dims are noise and whose last ones tell which query belongs to what."""
    random = np.random.default_rng(0)
    words = ["[UNK]", *(f"q{i}" for i in range(N_PAIRS)), *(f"d{i}" for i in range(N_PAIRS))]
    topics = random.normal(size=(N_PAIRS, 8))
    table = 1.5 * random.normal(size=(len(words), 16))
    table[1:, 8:] = np.vstack([topics, topics]) + 0.2 * random.normal(size=(2 * N_PAIRS, 8))
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Whitespace()
    module = StaticEmbedding(tokenizer, table.astype(np.float32))
    place = tmp_path_factory.mktemp("model")
    SentenceTransformer(modules=[module], device="cpu").save(str(place))
    return place


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    file = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    file.write_text("query,document\n" + "".join(f"q{i},d{i}\n" for i in range(N_PAIRS)))
    return file


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def train(capsys, folder, pairs, *more):
    return run(capsys, "train", "--model", folder, "--pairs", pairs, "--dims", "4,8,16", *more)


def test_a_head_that_helps_is_saved_and_loads(capsys, folder, pairs, tmp_path):
    status, said = train(
        capsys, folder, pairs, "--save-model", tmp_path / "better", "--dims-per-step", 2
    )
    assert status == 0
    assert "queries that it has not seen" in said.out
    assert "step 0: 4d" in said.err
    head, *rows = said.out.splitlines()[-4:]
    assert head.split() == ["dim", "before", "PCA", "trained"]
    for row in rows[:2]:
        _, before, pca, trained = map(float, row.split())
        assert trained > max(before, pca) + 0.1
    model = SentenceTransformer(str(tmp_path / "better"), device="cpu")
    assert model.encode(["q1"]).shape == (1, 16)


def test_what_is_no_better_is_not_saved(capsys, folder, pairs, tmp_path):
    """All weights of a table of words: those of queries that judge are never trained."""
    status, said = train(
        capsys, folder, pairs, "--whole-model", "--steps", 20, "--save-model", tmp_path / "same"
    )
    assert status == 3
    assert "so it is not saved" in said.out
    assert not (tmp_path / "same").exists()


def test_ctrl_c_keeps_the_best_so_far(folder, pairs):
    collection = embed_collection(read_pairs(pairs), load_model(str(folder)))
    split = split_pairs(collection)
    vectors = collection.queries.vectors, collection.documents.vectors
    heads = [Head(np.eye(16, dtype=np.float32), *vectors) for _ in range(2)]
    seen = []

    def interrupt(check):
        seen.append(check)
        if check.step == 40:
            raise KeyboardInterrupt

    assert train_student(heads[0], split, dims=[4, 16], on_check=interrupt) == (40, True)
    assert [check.step for check in seen] == [0, 10, 20, 30, 40]
    assert (seen[-1].losses < seen[0].losses).all()
    assert not np.allclose(heads[0].components, np.eye(16))
    again = train_student(heads[1], split, dims=[4, 16], on_check=lambda check: None)
    assert again[1] is False


def test_who_judges_is_in_no_pair_that_is_learnt_from(folder, pairs):
    split = split_pairs(read_pairs(pairs))
    for learnt in (split.training, split.stopping):
        assert not np.isin(learnt.queries, split.queries).any()
        assert not np.isin(learnt.documents, split.documents).any()
    assert not np.isin(split.stopping.queries, split.training.queries).any()
    assert len(split.queries) == len(split.judgements) == N_PAIRS // 2


def test_texts_that_repeat_are_one(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("question,answer\nq0,d0\nq0,d1\nq1,d0\nq1,\nq0,d0\n")
    collection = read_pairs(file)
    assert list(collection.queries.texts) == ["q0", "q1"]
    assert list(collection.documents.texts) == ["d0", "d1"]
    judged = collection.judgements
    assert list(zip(judged.query_rows, judged.document_rows, strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
    ]


def test_few_pairs_are_refused(capsys, folder, tmp_path):
    file = tmp_path / "few.csv"
    file.write_text("query,document\n" + "".join(f"q{i},d{i}\n" for i in range(20)))
    status, said = train(capsys, folder, file)
    assert status == 2
    assert "20 queries have a relevant document, and training takes 60" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--dims", "4,17"), "Dimension 17 is outside 1 to 16"),
        (("--weights", "1,2"), "There are 2 weights for 3 dims"),
        (("--corpus", "x"), "Give either --pairs, or --corpus"),
        (("--steps", "0"), "--steps must be 1 or more"),
    ],
)
def test_what_cannot_work_is_said(capsys, folder, pairs, arguments, sentence):
    status, said = train(capsys, folder, pairs, *arguments)
    assert status == 2
    assert sentence in said.err


def test_a_table_without_pairs(tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no columns of queries and documents"):
        read_pairs(file)


def write_vectors(tmp_path, n_docs):
    """Four clusters that PCA puts first, and neighbours told by three axes that vary less."""
    random = np.random.default_rng(0)

    def draw(n_rows):
        vectors = 0.02 * random.normal(size=(n_rows, 24))
        vectors[:, :3] += 0.5 * random.normal(size=(n_rows, 3))
        vectors[:, 3:7] += 2 * np.eye(4)[random.integers(4, size=n_rows)]
        return vectors[:, ::-1].astype(np.float32)

    np.save(tmp_path / "documents.npy", draw(n_docs))
    np.save(tmp_path / "queries.npy", draw(150))
    return "--corpus", tmp_path / "documents.npy", "--queries", tmp_path / "queries.npy"


def test_adapt_saves_what_beats_its_start(capsys, tmp_path):
    data = write_vectors(tmp_path, 3000)
    status, said = run(capsys, "adapt", *data, "--dims", "3", "--save", tmp_path / "adapter.npz")
    assert status == 0
    assert said.out.startswith("The adapter keeps more than PCA")
    assert "step 20: 3d" in said.err
    assert np.load(tmp_path / "adapter.npz")["components"].shape == (24, 24)


def test_adapt_refuses_few_documents(capsys, tmp_path):
    status, said = run(capsys, "adapt", *write_vectors(tmp_path, 20))
    assert status == 2
    assert "20 documents are too few to train an adapter" in said.err


def test_adapt_needs_the_model_that_it_is_to_save(capsys, tmp_path):
    data = write_vectors(tmp_path, 300)
    status, said = run(capsys, "adapt", *data, "--save-model", tmp_path / "model")
    assert status == 2
    assert "--save-model needs --model" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "--corpus"), "behind its provider's API, where it cannot be trained"),
        (("adapt", "--save-model", "adapted", "--corpus"), "--save-model cannot save openai:"),
        (("adapt", "--corpus"), "Nothing was sent yet. "),
    ],
)
def test_a_model_behind_an_api_is_neither_trained_nor_saved(
    capsys, monkeypatch, tmp_path, arguments, sentence
):
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path))
    hosted = "--model", "openai:text-embedding-3-small"
    status, said = run(capsys, *arguments, "sample_data/help_centre", *hosted)
    assert (status, said.out) == (2, "")
    assert sentence in said.err
