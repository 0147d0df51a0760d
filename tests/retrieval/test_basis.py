import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.retrieval import basis as basis_module
from mrl_explorer.retrieval.basis import (
    BASES,
    ROTATIONS,
    RUN_BASES,
    Basis,
    document_mean,
    fit_bases,
    fit_basis,
    random_rotation,
    unit_rows,
)

from . import naive
from .corpora import KINDS, make_corpus


def spread_out(n_docs=400, full_dim=12, seed=0):
    """Documents whose principal axes are all well apart, so that there is one right answer."""
    random = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(random.normal(size=(full_dim, full_dim)))
    scales = 0.8 ** np.arange(full_dim)
    return (random.normal(size=(n_docs, full_dim)) * scales @ axes + 0.3).astype(np.float32)


def test_pca_equals_eigenvectors_of_numpys_covariance():
    documents = spread_out()
    components = fit_basis("pca", documents).components
    np.testing.assert_allclose(components, naive.principal_axes(documents), atol=2e-6)
    assert components.dtype == np.float32
    assert components.flags.c_contiguous


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    n_docs=st.integers(2, 200),
    full_dim=st.integers(2, 60),
    seed=st.integers(0, 2**32 - 1),
    rows_at_once=st.sampled_from([1, 7, 64, 8192]),
)
def test_pca_axes_are_principal_whatever_the_corpus(kind, n_docs, full_dim, seed, rows_at_once):
    documents, _ = make_corpus(kind, n_docs=n_docs, n_queries=1, full_dim=full_dim, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(basis_module, "ROWS_AT_ONCE", rows_at_once)
        axes = fit_basis("pca", documents).components.astype(np.float64)
    # A whole orthonormal basis, also with fewer documents than dims ...
    np.testing.assert_allclose(axes @ axes.T, np.eye(full_dim), atol=1e-6)
    # ... of directions that do not vary together, by falling variance ...
    variances = axes @ naive.covariance(documents) @ axes.T
    np.testing.assert_allclose(variances, np.diag(np.diag(variances)), atol=2e-7)
    assert (np.diff(np.diag(variances)) <= 4e-7).all()
    np.testing.assert_allclose(
        np.diag(variances),
        np.linalg.eigvalsh(naive.covariance(documents))[::-1],
        atol=4e-7,
    )
    # ... with the sign that the rule gives them.
    largest = np.abs(axes).max(axis=1)
    assert (axes.max(axis=1) >= largest - 1e-7).all()


def test_the_mean_is_not_subtracted():
    documents = spread_out()
    basis = fit_basis("pca", documents)
    np.testing.assert_allclose(
        basis.apply(documents), documents @ naive.principal_axes(documents).T, atol=1e-5
    )


def test_native_leaves_vectors_alone():
    documents = spread_out()
    basis = fit_basis("native", documents)
    assert basis.components is None
    assert basis.apply(documents) is documents
    assert Basis("native").apply(documents) is documents


@given(st.integers(1, 80))
@settings(max_examples=30, deadline=None)
def test_a_random_rotation_is_one_and_always_the_same(dim):
    rotation = random_rotation(dim)
    assert rotation.dtype == np.float32
    np.testing.assert_allclose(
        rotation.astype(np.float64) @ rotation.T, np.eye(dim), atol=1e-6 * np.sqrt(dim)
    )
    assert np.array_equal(rotation, random_rotation(dim))


def test_rotations_spread_what_a_few_axes_hold():
    """Which is what they are for: all variance on one axis ends up on all of them."""
    turned = np.eye(256)[0] @ random_rotation(256).T
    assert np.abs(turned).max() < 0.3
    assert np.abs(random_rotation(256).mean()) < 0.01


def test_rotations_of_different_dims_are_different():
    assert not np.allclose(random_rotation(9)[:8, :8], random_rotation(8), atol=0.1)


def test_only_the_rotated_basis_turns_its_prefixes():
    documents = spread_out()
    for basis in fit_bases(RUN_BASES, documents):
        rotation = basis.rotation(5)
        if basis.name == "pca-rotated":
            assert np.array_equal(rotation, random_rotation(5))
        else:
            assert rotation is None


def test_random_is_an_order_of_the_native_axes():
    documents = spread_out()
    components = fit_basis("random", documents).components
    assert np.array_equal(components.sum(axis=0), np.ones(12))
    assert np.array_equal(components.sum(axis=1), np.ones(12))
    assert not np.array_equal(components, np.eye(12))
    assert np.array_equal(components, fit_basis("random", documents[::2] * 3).components)
    order = components.argmax(axis=1)
    assert np.array_equal(fit_basis("random", documents).apply(documents), documents[:, order])


def test_every_rotation_is_orthonormal():
    documents = spread_out(n_docs=5)
    for name in ROTATIONS:
        components = fit_basis(name, documents).components.astype(np.float64)
        np.testing.assert_allclose(components @ components.T, np.eye(12), atol=1e-6)


def test_bases_fitted_together_share_their_axes_and_the_work():
    reports = []
    bases = fit_bases(RUN_BASES, spread_out(), on_progress=reports.append)
    assert [basis.name for basis in bases] == list(RUN_BASES)
    assert bases[1].components is bases[2].components
    assert len(reports) == 1
    assert fit_bases([], spread_out()) == ()


def test_how_many_dims_a_basis_gives():
    assert Basis("native").out_dim(12) == 12
    assert Basis("adapter", np.zeros((5, 12), np.float32)).out_dim(12) == 5


@pytest.mark.parametrize("name", [name for name in BASES if name not in RUN_BASES])
def test_what_is_trained_cannot_be_fitted(name):
    with pytest.raises(ValueError, match="cannot be fitted on documents"):
        fit_basis(name, spread_out())


def test_an_unknown_basis_is_a_programming_error():
    with pytest.raises(ValueError, match="'fourier'"):
        fit_basis("fourier", spread_out())


def test_fitting_reports_its_progress(monkeypatch):
    monkeypatch.setattr(basis_module, "ROWS_AT_ONCE", 150)
    reports = []
    fit_basis("pca", spread_out(), on_progress=reports.append)
    assert [(report.done, report.total) for report in reports] == [
        (150, 400),
        (300, 400),
        (400, 400),
    ]
    assert {report.what for report in reports} == {"fitting PCA"}


def test_unit_rows():
    rows = unit_rows(np.array([[3, 4], [0, 0], [-2, 0]], np.float64))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    assert rows.dtype == np.float32


def test_unit_rows_leaves_its_input_alone():
    vectors = np.array([[3, 4]], np.float32)
    unit_rows(vectors)
    assert vectors.tolist() == [[3, 4]]


def test_document_mean_streams(monkeypatch):
    monkeypatch.setattr(basis_module, "ROWS_AT_ONCE", 7)
    documents = spread_out()
    np.testing.assert_allclose(
        document_mean(documents), naive.unit(documents).mean(axis=0), atol=1e-7
    )
