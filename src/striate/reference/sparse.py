"""Matrices of mostly zeros: interpolation, means of parts and convolutions as products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A matrix of which only some entries are stored, in the order of rows and, within them, of columns.

    Parameters
    ----------
    values : number[E]
        The stored entries.
    rows, columns : int64[E]
        Where they stand.
    shape : tuple of int
        Rows and columns of the whole matrix.

    Examples
    --------
    >>> matrix = SparseMatrix.summed(np.ones(3), np.array([1, 0, 1]), np.array([0, 1, 0]), (2, 2))
    >>> matrix.toarray().tolist(), (matrix @ np.array([10.0, 1.0])).tolist()
    ([[0.0, 1.0], [2.0, 0.0]], [1.0, 20.0])
    """

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def ordered(
        cls, values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
    ) -> SparseMatrix:
        """Return the matrix with these entries, each at a place of its own, in any order."""
        order = np.lexsort((columns, rows))
        return cls(values[order], rows[order], columns[order], shape)

    @classmethod
    def summed(
        cls, values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
    ) -> SparseMatrix:
        """Return the float64 matrix to which entry e adds ``values[e]``, without the entries that are 0."""
        places, inverse = np.unique(rows * shape[1] + columns, return_inverse=True)
        sums = np.bincount(inverse, values, len(places))
        rows, columns = np.divmod(places[sums != 0], shape[1])
        return cls(sums[sums != 0], rows, columns, shape)

    @property
    def T(self) -> SparseMatrix:
        """The transposed matrix."""
        return SparseMatrix.ordered(self.values, self.columns, self.rows, self.shape[::-1])

    @property
    def begins(self) -> np.ndarray:
        """The first entry of every row, and the number of entries at the end: int64[rows + 1]."""
        return np.searchsorted(self.rows, np.arange(self.shape[0] + 1))

    def toarray(self) -> np.ndarray:
        """Return the whole matrix."""
        full = np.zeros(self.shape, self.values.dtype)
        full[self.rows, self.columns] = self.values
        return full

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        """Return the product with a vector [columns] or a matrix [columns, K]."""
        products = self.values.reshape(-1, *(1,) * (x.ndim - 1)) * x[self.columns]
        out = np.zeros((self.shape[0], *x.shape[1:]), products.dtype)
        filled, first = np.unique(self.rows, return_index=True)
        if len(filled):
            out[filled] = np.add.reduceat(products, first, axis=0)
        return out

    def kron(self, other: SparseMatrix) -> SparseMatrix:
        """Return the Kronecker product, which applies ``self`` along one axis and ``other`` along the next.

        Examples
        --------
        >>> two = SparseMatrix.summed(np.array([1.0, 2.0]), np.arange(2), np.arange(2), (2, 2))
        >>> two.kron(two).toarray().diagonal().tolist()
        [1.0, 2.0, 2.0, 4.0]
        """
        return SparseMatrix.ordered(
            np.multiply.outer(self.values, other.values).ravel(),
            np.add.outer(self.rows * other.shape[0], other.rows).ravel(),
            np.add.outer(self.columns * other.shape[1], other.columns).ravel(),
            (self.shape[0] * other.shape[0], self.shape[1] * other.shape[1]),
        )
