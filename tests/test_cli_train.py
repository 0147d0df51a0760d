"""`train` and `adapt` on small models whose answer is known."""

import shutil

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Pooling,
    StaticEmbedding,
    Transformer,
)
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from mrl_explorer.cli import main
from mrl_explorer.data import read_pairs
from mrl_explorer.decide.beside import differences, match
from mrl_explorer.decide.summary import summarise
from mrl_explorer.decide.training import split_pairs, train_student
from mrl_explorer.embed import describe_model, embed_collection, load_model
from mrl_explorer.embed.threads import one_thread
from mrl_explorer.embed.training import (
    MODEL_RATE,
    STATIC_SHARE,
    Head,
    TrainingSettings,
    WholeModel,
)
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.metrics import Cutoff

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
    for name in ("prefix", "PCA", "adapter"):
        assert f"{name} nDCG@10" in said.out
    assert "(120 queries): +" in said.out
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
        return True

    settings = TrainingSettings((4, 16))
    assert train_student(heads[0], split, settings, goes_on=interrupt) == (40, True)
    assert [check.step for check in seen] == [0, 10, 20, 30, 40]
    assert (seen[-1].losses < seen[0].losses).all()
    assert not np.allclose(heads[0].components, np.eye(16))
    assert train_student(heads[1], split, settings)[1] is False


def test_a_table_of_words_takes_longer_steps_than_a_transformer(folder, translation):
    models = load_model(str(folder)), load_model(str(translation / "model"))
    static, transformer = (WholeModel(model, [], []) for model in models)
    table = models[0].local_encoder[0].embedding.weight.detach().numpy()
    assert static.rate == pytest.approx(STATIC_SHARE * np.sqrt(np.mean(table**2)), rel=1e-5)
    assert transformer.rate == MODEL_RATE
    assert WholeModel(models[0], [], [], 0.5).rate == 0.5


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
        (("--learning-rate", ".1"), "--learning-rate is for --whole-model"),
        (("--learning-rate", "0", "--whole-model"), "learns nothing"),
        (("--whole-model", "--save", "m.npz"), "--whole-model trains none"),
        (("--evaluation", "x"), "--evaluation needs --corpus"),
        (("--output", "x"), "--evaluation and --output go together"),
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


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, folder):
    """The pairs as a corpus with queries and judgements, and its evaluation."""
    place = tmp_path_factory.mktemp("corpus")
    for kind, name in (("documents", "d"), ("queries", "q")):
        lines = "".join(f"{name}{i},{name}{i}\n" for i in range(N_PAIRS))
        (place / f"{kind}.csv").write_text(f"id,text\n{lines}")
    judged = "".join(f"q{i}\td{i}\t1\n" for i in range(N_PAIRS))
    (place / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    grid = "--dims", "4,8,16", "--quantizations", "float32,int8", "--basis", "native,pca"
    saved = "--depth", "20", "--save", str(place / "before.evaluation")
    assert main(["evaluate", "--model", str(folder), *map(str, data(place)), *grid, *saved]) == 0
    return place


def data(place):
    files = {"corpus": "documents.csv", "queries": "queries.csv", "qrels": "qrels.tsv"}
    return [part for name, file in files.items() for part in (f"--{name}", place / file)]


def train_corpus(capsys, folder, corpus, *more):
    return run(capsys, "train", "--model", folder, *data(corpus), "--dims", "4,8,16", *more)


def test_a_head_that_helps_joins_the_grid(capsys, folder, corpus, tmp_path):
    output, again = tmp_path / "after.evaluation", tmp_path / "again.evaluation"
    before = load_evaluation(corpus / "before.evaluation")
    joins = "--evaluation", corpus / "before.evaluation", "--output", output
    status, said = train_corpus(capsys, folder, corpus, *joins, "--save", tmp_path / "head.npz")
    assert status == 0, said
    after = load_evaluation(output)
    assert {c for c in after.rankings.configs if c.basis == "adapter"} == {
        Config(dim, quantization, "adapter")
        for dim in (4, 8, 16)
        for quantization in ("float32", "int8")
    }
    assert set(before.rankings.configs) < set(after.rankings.configs)
    # 120 documents teach, and the one query of each of them with it.
    assert after.rankings.n_queries == N_PAIRS // 2
    summary = summarise(after, Cutoff(10))
    row = summary.row(Config(4, "float32", "adapter"))
    assert f"adapter {row.held_out:.3f}".replace(" 0", " ") in said.out
    own = summary.row(Config(4, "float32", "native"))
    assert row.ndcg > own.ndcg + 0.1
    (adapter,) = (basis for basis in after.bases if basis.name == "adapter")
    saved = np.load(tmp_path / "head.npz")
    assert np.array_equal(saved["components"], adapter.components)
    assert saved["dims"].tolist() == [4, 8]
    # An evaluation that has an adapter gets the new one in its place.
    status, said = train_corpus(capsys, folder, corpus, "--evaluation", output, "--output", again)
    assert status == 0, said
    once_more = load_evaluation(again)
    assert once_more.rankings.configs == after.rankings.configs
    assert once_more.source.notes == after.source.notes


def test_an_evaluation_of_something_else_is_refused(capsys, folder, corpus, tmp_path):
    joins = "--output", tmp_path / "after.evaluation", "--evaluation", corpus / "before.evaluation"
    status, said = train_corpus(capsys, "wordllama-256", corpus, *joins)
    assert status == 2
    assert f"is an evaluation of {folder} and not of wordllama-256" in said.err
    fewer = tmp_path / "fewer"
    shutil.copytree(corpus, fewer)
    lines = (corpus / "documents.csv").read_text().splitlines(keepends=True)
    (fewer / "documents.csv").write_text("".join(lines[:-1]))
    (fewer / "qrels.tsv").write_text((corpus / "qrels.tsv").read_text().rpartition("q239")[0])
    status, said = train_corpus(capsys, folder, fewer, *joins)
    assert status == 2
    assert "give the data that it was made from" in said.err
    swapped = tmp_path / "swapped"
    shutil.copytree(corpus, swapped)
    renamed = "".join(lines).replace("\nd3,", "\nx,").replace("\nd4,", "\nd3,")
    (swapped / "documents.csv").write_text(renamed.replace("\nx,", "\nd4,"))
    status, said = train_corpus(capsys, folder, swapped, *joins)
    assert status == 2
    assert "Document 3 of documents.csv is d4, and d3 in the evaluation" in said.err
    assert not (tmp_path / "after.evaluation").exists()


N_WORDS = 24


@pytest.fixture(scope="module")
def translation(tmp_path_factory):
    """A transformer with random weights, and texts that say the same in words of two languages."""
    place = tmp_path_factory.mktemp("translation")
    words = ["[PAD]", "[UNK]", *(f"{side}{i}" for side in "qd" for i in range(N_WORDS))]
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        model_max_length=16,
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
    )
    BertModel(config).save_pretrained(place / "bert")
    fast.save_pretrained(place / "bert")
    modules = [Transformer(str(place / "bert")), Pooling(32)]
    SentenceTransformer(modules=modules, device="cpu").save(str(place / "model"))
    random = np.random.default_rng(0)
    said = sorted({tuple(sorted(random.choice(N_WORDS, 3, replace=False))) for _ in range(300)})
    for kind, side in (("documents", "d"), ("queries", "q")):
        lines = [f"{i}," + " ".join(f"{side}{w}" for w in one) for i, one in enumerate(said)]
        (place / f"{kind}.csv").write_text("id,text\n" + "\n".join(lines) + "\n")
    judged = "".join(f"{i}\t{i}\t1\n" for i in range(len(said)))
    (place / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return place


def test_a_whole_model_learns_is_saved_and_stands_beside_the_first(capsys, translation, tmp_path):
    source = "--model", translation / "model", *data(translation)
    grid = "--dims", "8,16,32", "--quantizations", "float32", "--basis", "native,pca"
    before = tmp_path / "before.evaluation"
    assert run(capsys, "evaluate", *source, *grid, "--depth", 20, "--save", before)[0] == 0
    saved, output = tmp_path / "better", tmp_path / "after.evaluation"
    with one_thread():
        status, said = run(
            capsys,
            *("train", *source, "--whole-model", "--dims", "8,16,32", "--steps", 120),
            *("--learning-rate", ".003", "--save-model", saved),
            *("--evaluation", before, "--output", output),
        )
    assert status == 0, said
    head, *rows = said.out.splitlines()[-4:]
    assert head.split() == ["dim", "before", "trained"]
    for row in rows:
        _, ndcg, trained = map(float, row.split())
        assert trained > ndcg + 0.3

    known = describe_model(str(saved)).matryoshka
    assert (known.verdict, known.dims) == ("yes", (8, 16, 32))
    first, second = load_evaluation(before), load_evaluation(output)
    assert second.source.model == str(saved)
    assert second.rankings.configs == first.rankings.configs
    assert second.rankings.n_queries == first.rankings.n_queries - len(first.queries.ids) // 2
    notes = " ".join(second.source.notes)
    assert "queries taught what is relevant in a training, and are left out" in notes
    assert "This model was trained on pairs with" in notes
    # Beside each other: on the queries that both have, and that taught neither.
    summaries = [summarise(one, Cutoff(10)) for one in (second, first)]
    config = Config(8)
    found = differences(summaries[0], config, summaries[1], config, match(second, first))
    assert found.ndcg.n_queries == second.rankings.n_queries
    assert found.ndcg.low > 0.3

    # What is saved is what was trained: its vectors are those that the evaluation ranks by.
    model = SentenceTransformer(str(saved), device="cpu")
    documents = model.encode_document(lines_of(translation / "documents.csv"))
    queries = model.encode_query(list(second.queries.texts))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (queries, documents)]
    rankings = second.rankings
    scores = rankings.full_scores[rankings.place(rankings.baseline)]
    assert np.allclose(np.sort(unit[0] @ unit[1].T)[:, ::-1][:, :20], scores, atol=1e-5)


def lines_of(file):
    return [line.partition(",")[2] for line in file.read_text().splitlines()[1:]]


def test_a_whole_model_has_to_be_saved_to_be_evaluated(capsys, folder, corpus, tmp_path):
    joins = "--output", tmp_path / "after.evaluation", "--evaluation", corpus / "before.evaluation"
    status, said = train_corpus(capsys, folder, corpus, "--whole-model", *joins)
    assert status == 2
    assert "--output with --whole-model needs --save-model" in said.err


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


def test_adapt_joins_the_grid(capsys, tmp_path):
    data = write_vectors(tmp_path, 3000)
    before, after = tmp_path / "before.evaluation", tmp_path / "after.evaluation"
    grid = "--dims", "3,6", "--quantizations", "float32", "--basis", "native,pca"
    assert run(capsys, "evaluate", *data, *grid, "--save", before)[0] == 0
    joins = "--evaluation", before, "--output", after
    status, said = run(capsys, "adapt", *data, "--dims", "3", *joins)
    assert status == 0, said
    joined = load_evaluation(after)
    row = summarise(joined, Cutoff(10)).row(Config(3, "float32", "adapter"))
    assert f"adapter {row.held_out:.3f}".replace(" 0", " ") in said.out
    # Nothing was judged, so no query taught it and all stay.
    assert joined.rankings.n_queries == 150
    assert main(["tiers", str(after), "--min-recall", ".9", "--n-vectors", "1e6"]) == 0


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
