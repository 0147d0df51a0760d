import numpy as np
import pytest

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.report.figures import TOO_FEW, recall_by_segment
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Queries
from mrl_explorer.retrieval.metrics import Cutoff

CONFIGS = [Config(64, "binary"), Config(128, "int8")]


@pytest.fixture(scope="module")
def summary(sample):
    return summarise(sample, Cutoff(10))


def with_segments(summary, segments):
    """Give the same figures with the queries cut up otherwise."""
    old = summary.evaluation
    queries = Queries(old.queries.ids, old.queries.texts, segments)
    evaluation = Evaluation(old.rankings, old.listed, queries, old.judgements, old.source)
    return Summary(
        evaluation, summary.cutoff, summary.recall, summary.low, summary.high, summary.relevance
    )


def test_each_segment_has_its_mean_and_interval(summary, sample):
    figure = recall_by_segment(summary, CONFIGS)
    segments = np.array(sample.queries.segments)
    assert [trace.name for trace in figure.data] == ["64d binary", "128d int8"]
    for trace, config in zip(figure.data, CONFIGS, strict=True):
        assert len(trace.y) == len(set(segments)) == 6
        for place, label in enumerate(trace.y):
            name = label.split(" (")[0]
            values = summary.recall[sample.rankings.place(config), segments == name]
            low, high = intervals(values[None])
            assert label == f"{name} ({len(values)})"
            assert trace.x[place] == pytest.approx(values.mean())
            assert trace.x[place] - trace.error_x.arrayminus[place] == pytest.approx(low[0])
            assert trace.x[place] + trace.error_x.array[place] == pytest.approx(high[0])


def test_the_worst_segment_of_the_first_configuration_stands_on_top(summary):
    figure = recall_by_segment(summary, CONFIGS)
    # Plotly draws the first category at the bottom.
    assert list(figure.data[0].x) == sorted(figure.data[0].x, reverse=True)
    assert figure.data[0].y == figure.data[1].y


def test_small_and_nameless_segments_are_marked(summary):
    sizes = {"": 90, "few": TOO_FEW - 1, "enough": TOO_FEW, "one": 1}
    segments = tuple(name for name, size in sizes.items() for _ in range(size))
    figure = recall_by_segment(with_segments(summary, segments), CONFIGS[:1])
    assert set(figure.data[0].y) == {
        "(none) (90)",
        "few (4, too few)",
        "enough (5)",
        "one (1, too few)",
    }


def test_the_axis_says_what_it_shows_and_leaves_room_for_one(summary):
    figure = recall_by_segment(summary, CONFIGS)
    assert figure.layout.xaxis.title.text == "recall@10 vs full dimension"
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > 1


def test_two_configurations_differ_by_more_than_colour(summary):
    figure = recall_by_segment(summary, CONFIGS)
    assert len({trace.marker.symbol for trace in figure.data}) == 2


def test_without_segments_there_is_nothing_to_draw(summary):
    with pytest.raises(ValueError, match="no segments"):
        recall_by_segment(with_segments(summary, None), CONFIGS)


def test_names_of_segments_are_no_markup(summary):
    segments = ("<b>bold</b>",) * 60 + ("<a href='x'>link</a>",) * 40
    figure = recall_by_segment(with_segments(summary, segments), CONFIGS)
    # Plotly reads a few HTML tags in labels.
    assert not any("<" in label for label in figure.data[0].y)
