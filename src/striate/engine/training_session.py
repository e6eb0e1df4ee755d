"""A plan for training: one step at a time, on batches of one size."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.memory import Sizes, check_least, sums_of_squares
from striate.engine.program import UPDATE
from striate.engine.session import GRADIENT_RUN, Session, check_dtype
from striate.errors import ShapeError
from striate.layers.base import format_shape
from striate.losses import Loss
from striate.machine import default_lanes
from striate.network import Network
from striate.reference.random import layer_key


class TrainingSession(Session):
    """A training step of one network, compiled for one batch size.

    Parameters
    ----------
    network : Network
    vectors : Vectors
        The parameters, which every step changes, and the optimizer's state.
    batch_size : int
        The largest batch; smaller ones may follow.
    loss : str or Loss
        A name of ``striate.losses.LOSSES``, or one with options.
    optimizer : str
        A kernel of ``striate.kernels.update``.
    dtype : dtype
        uint8 or float32: of the samples.
    auxiliary_weight : float
        What the losses of the network's auxiliary outputs count beside that of its output.
    frozen : collection of str
        Layers that do not learn: below the first one that does, no gradient is computed.
    threads, lanes : int, optional
        The processor's by default. The number of threads changes no bit of the result.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm where it is faster; it rounds more (docs/engine.md).

    Attributes
    ----------
    auxiliary : tuple of Results
        Of each auxiliary output, for every sample of the last step.
    """

    def __init__(
        self,
        network: Network,
        *,
        batch_size: int,
        loss: str | Loss,
        optimizer: str,
        dtype: np.dtype,
        auxiliary_weight: float = 0.3,
        frozen: Collection[str] = (),
        threads: int | None = None,
        lanes: int | None = None,
        winograd: bool = True,
    ) -> None:
        self.loss, self.auxiliary_weight = Loss.of(loss), auxiliary_weight
        check_dtype(network, dtype)
        _check_outputs(network)
        self.loss.target_count(network.output_shape)
        sizes = Sizes.of(batch_size, lanes or default_lanes(), network.parameter_count)
        check_least(network, batch_size, sizes, training=True)
        facts = analyse(
            network, sizes, dtype, loss=self.loss, optimizer=optimizer, frozen=frozen, winograd=winograd
        )
        super().__init__(facts, batch_size, threads)
        self.results, *auxiliary = self.samples.results
        self.auxiliary = tuple(auxiliary)

    def step(
        self,
        inputs: np.ndarray,
        index: np.ndarray,
        targets: np.ndarray,
        numbers: tuple[float, ...],
        weights: np.ndarray | None = None,
        *,
        seed: int = 0,
        number: int = 0,
        update: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take one step of gradient descent on the mean loss of a batch.

        Parameters
        ----------
        inputs : uint8 or float32 [*, C, *space]
            The plan's dtype; contiguous arrays are read where they lie, of others the batch is copied.
        index : int64[n]
            The samples of the batch, n <= batch_size.
        targets : int64[n] or float32[n, T]
        numbers : tuple of float
            What the optimizer's kernel reads.
        weights : float32[n], optional
            What the loss of each sample counts, by default so that their sum is the mean: 1/n without class
            weights and ignored labels.
        seed, number : int
            The seed of the run and the number of this step; together they fix all random numbers.
        update : bool
            Whether the optimizer takes its step; without, ``vectors.gradient`` may be changed before ``update``.

        Returns
        -------
        losses, correct : float32[n]
            The loss of each sample before the step, and whether it was classified rightly; auxiliary outputs
            are not in them.

        Raises
        ------
        ShapeError
            If the samples are not of the network's input shape and the plan's dtype, or there are more or fewer
            targets or weights than samples.
        UsageError
            If ``index`` holds too many numbers, or one of no sample.
        """
        with self._lock:
            self._prepare(inputs, index, targets, numbers, weights, seed, number)
            self._compute(update)
            n = len(index)
            return self.results.losses[:n].copy(), self.results.correct[:n].copy()

    def _compute(self, update: bool) -> None:
        """Run the program, up to the gradient or to the end."""
        self.team.run(None if update else GRADIENT_RUN)

    def _prepare(
        self,
        inputs: np.ndarray,
        index: np.ndarray,
        targets: np.ndarray,
        numbers: tuple[float, ...],
        weights: np.ndarray | None,
        seed: int,
        number: int,
    ) -> None:
        """Put in place what a step reads."""
        n = len(index)
        self._select(inputs, index)
        self.vectors.numbers[: len(numbers)] = numbers
        self.bound.memory.run = (seed, number)
        for i, name in enumerate(self.program.random_layers):
            self.samples.keys[i] = layer_key(seed, number, name)
        targets = np.asarray(targets)
        self._check_counts(n, targets, weights)
        own = self.results.weights
        own[:n] = self.loss.sample_weights(targets) if weights is None else weights
        own[n:] = 0.0
        for results in self.auxiliary:
            results.weights[:] = own * np.float32(self.auxiliary_weight)
        self._put_targets(targets.astype(np.float32), n)

    def _check_counts(self, n: int, targets: np.ndarray, weights: np.ndarray | None) -> None:
        count = self.facts.target_count
        if targets.size != n * count:
            raise ShapeError(
                f"{self.network.name}: {n} samples need targets of {count} numbers each; got shape "
                f"{list(targets.shape)}. Choose those of the batch."
            )
        if weights is not None and weights.shape != (n,):
            raise ShapeError(
                f"{self.network.name}: {n} samples need one weight each; got shape {list(weights.shape)}. Choose "
                "those of the batch."
            )

    def update(self) -> None:
        """Let the optimizer take its step with ``vectors.gradient`` and the numbers of the last ``step``."""
        with self._lock:
            self._take_step()

    def _take_step(self) -> None:
        self.team.run((UPDATE,))

    def announce(self, numbers: tuple[float, ...], number: int) -> None:
        """Announce that a step begins; nobody listens here, see `striate.distributed`."""

    def collect(self) -> None:
        """Complete ``vectors``; here they always are complete."""

    def spread(self) -> None:
        """Send changed ``vectors`` to other ranks; here there are none."""

    def squares(self, gradient: np.ndarray) -> np.ndarray:
        """Return ``sums_of_squares`` of the gradient."""
        return sums_of_squares(gradient)

    def _put_targets(self, targets: np.ndarray, n: int) -> None:
        count = self.facts.target_count
        if count == 1:
            self.samples.targets[:n] = targets.reshape(n)
            return
        room = np.zeros((len(self.results.weights), count), np.float32)
        room[:n] = targets.reshape(n, -1)
        blocks = room.reshape(-1, self.facts.sizes.lanes, count).transpose(0, 2, 1)
        self.samples.targets[:] = blocks.ravel()


def _check_outputs(network: Network) -> None:
    """Raise ShapeError unless all outputs want the same targets."""
    shapes = {network.output_shape, *(network.step(name).shape for name in network.auxiliary)}
    if len(shapes) > 1:
        raise ShapeError(
            f"{network.name}: auxiliary outputs must have the shape of the output; got "
            f"{', '.join(map(format_shape, sorted(shapes)))}. Change their last layers."
        )
