from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from striate.reference.sparse import SparseMatrix


def matrices(seed: int, rows: int, columns: int) -> tuple[SparseMatrix, sparse.csr_array]:
    random = np.random.default_rng(seed)
    count = random.integers(0, 2 * rows * columns)
    values = random.integers(-2, 3, count).astype(np.float64)  # some cancel each other
    places = random.integers(0, rows, count), random.integers(0, columns, count)
    peer = sparse.csr_array((values, places), shape=(rows, columns))
    peer.eliminate_zeros()
    return SparseMatrix.summed(values, *places, (rows, columns)), peer


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=80, deadline=None)
def test_it_is_what_scipy_stores(seed, rows, columns):
    own, peer = matrices(seed, rows, columns)
    for matrix, wanted in ((own, peer), (own.T, peer.T.tocsr())):
        wanted.sort_indices()
        assert np.array_equal(matrix.begins, wanted.indptr)
        assert np.array_equal(matrix.columns, wanted.indices)
        assert np.array_equal(matrix.values, wanted.data)
        assert np.array_equal(matrix.toarray(), wanted.toarray())


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=80, deadline=None)
def test_products_are_those_of_scipy(seed, rows, columns):
    own, peer = matrices(seed, rows, columns)
    x = np.random.default_rng(seed).integers(-9, 9, (columns, 3)).astype(np.float64)
    assert np.array_equal(own @ x, peer @ x)
    assert np.array_equal(own @ x[:, 0], peer @ x[:, 0])
    other, wanted = matrices(seed + 1, columns, rows)
    assert np.array_equal(own.kron(other).toarray(), sparse.kron(peer, wanted).toarray())
