"""Loss surfaces and descent paths: against formulas, PyTorch's optimizers, and the samples they should see."""

import io

import numpy as np
import pytest

from striate.errors import ShapeError, UsageError
from striate.worksheets.descent import (
    METHODS,
    PROBLEMS,
    RATES,
    Problem,
    descend,
    draw_descent,
    draw_losses,
    problem,
)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_every_problem_is_descended_by_every_method(name):
    task = problem(name)
    found = descend(task, steps=60, learning_rate=1e-3, grid=3)
    expected = METHODS if task.samples else tuple(m for m in METHODS if m not in ("sgd", "mini-batch"))
    assert tuple(path.method for path in found.paths) == expected
    for path in found.paths:
        assert not path.diverged
        assert path.points.shape == (61, 2)
        assert path.points[0].tolist() == list(task.start)
        assert path.losses[-1] < path.losses[0]
        assert path.losses[-1] == task.loss(path.points[-1])
    (a, b), (c, d) = task.window
    assert a < task.start[0] < b
    assert c < task.start[1] < d


def test_surface_holds_the_loss():
    surface = problem("rosenbrock").surface(41)
    a, b = np.meshgrid(surface.first, surface.second)
    np.testing.assert_allclose(surface.loss, (1 - a) ** 2 + 100 * (b - a**2) ** 2, rtol=1e-12)
    assert surface.lowest == (1, 1)


def test_surface_leaves_out_where_the_loss_is_not_finite():
    surface = problem("a*log(a) + b**2").surface(5)
    assert np.isnan(surface.loss).all(axis=0).tolist() == [True, True, True, False, False]


def test_gradient_is_that_of_the_rows():
    task = problem("line")
    rows = np.array([3, 7])
    x, t = task.data["x"][rows], task.data["t"][rows]
    residual = 0.4 * x + 0.1 - t
    expected = [(residual * x).mean(), residual.mean()]
    np.testing.assert_allclose(task.gradient(np.array([0.4, 0.1]), rows), expected, rtol=1e-12)
    assert task.samples == 40


def test_gradient_descent_on_a_quadratic_is_a_power():
    task = problem("(a**2 + 25*b**2)/2", start=(-2.8, 1.0))
    path = descend(task, ["gradient descent"], learning_rate=0.03, steps=20, grid=3).paths[0]
    steps = np.arange(21)[:, None]
    expected = np.array(task.start) * (1 - 0.03 * np.array([1, 25])) ** steps
    np.testing.assert_allclose(path.points, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "name", "arguments"),
    [
        ("gradient descent", "SGD", {}),
        ("momentum", "SGD", {"momentum": 0.9}),
        ("nesterov", "SGD", {"momentum": 0.9, "nesterov": True}),
        ("rmsprop", "RMSprop", {"alpha": 0.99}),
        ("adam", "Adam", {}),
    ],
)
def test_paths_are_those_of_pytorch(method, name, arguments):
    torch = pytest.importorskip("torch")
    task = problem("rosenbrock")
    path = descend(task, [method], steps=50, learning_rate=3e-4, grid=3).paths[0]
    point = torch.tensor(task.start, dtype=torch.float64, requires_grad=True)
    rule = getattr(torch.optim, name)([point], lr=3e-4, **arguments)
    points = [point.detach().numpy().copy()]
    for _ in range(50):
        rule.zero_grad()
        ((1 - point[0]) ** 2 + 100 * (point[1] - point[0] ** 2) ** 2).backward()
        rule.step()
        points.append(point.detach().numpy().copy())
    np.testing.assert_allclose(path.points, points, rtol=1e-9)


@pytest.mark.parametrize(("method", "size"), [("sgd", 1), ("mini-batch", 3)])
def test_batches_show_every_sample_once_an_epoch(method, size):
    """The gradient of mean(w*x) by w is the mean of the batch's x, so the path tells what it saw."""
    x = 2.0 ** np.arange(7)
    task = problem("mean(w*x) + b**2", ("w", "b"), data={"x": x}, start=(0, 0))
    settings = {"learning_rate": 1.0, "batch_size": 3, "grid": 3}
    per_epoch = -(-7 // size)
    found = descend(task, [method], steps=2 * per_epoch, **settings).paths[0]
    seen = -np.diff(found.points[:, 0])
    counts = [min(size, 7 - i * size) for i in range(per_epoch)] * 2
    sums = seen * counts
    assert sums[:per_epoch].sum() == pytest.approx(x.sum(), rel=1e-12)
    assert sums[per_epoch:].sum() == pytest.approx(x.sum(), rel=1e-12)
    assert sums[:per_epoch].tolist() != sums[per_epoch:].tolist()
    again = descend(task, [method], steps=2 * per_epoch, **settings).paths[0]
    assert np.array_equal(found.points, again.points)
    other = descend(task, [method], steps=2 * per_epoch, seed=1, **settings).paths[0]
    assert not np.array_equal(found.points, other.points)


def test_divergence_ends_the_path():
    path = descend("ravine", ["gradient descent"], learning_rate=0.1, steps=200, grid=3).paths[0]
    assert path.diverged
    assert len(path.points) < 100
    sudden = descend("exp(a**2) + b**2", ["gradient descent"], learning_rate=1e3, steps=5, grid=3).paths[0]
    assert sudden.diverged
    assert np.isfinite(sudden.losses).all()


def test_ones_own_problem():
    task = problem("(u - 1)**2 + (v + 2)**2", window=((0, 4), (-4, 0)))
    assert task.parameters == ("u", "v")
    assert task.start == pytest.approx((0.6, -0.6))
    text = str(descend(task, ["adam"], steps=3, learning_rate={"adam": 0.5}, grid=5))
    assert "lowest on the grid near u = 1, v = -2" in text
    assert "adam                    0.5      3" in text
    assert isinstance(task, Problem)
    assert problem("line", start=(1, 1)).start == (1, 1)


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("ravine", ["nesterov", "momentum", "adam"]),
        ("saddle", ["rmsprop", "adam", "momentum", "nesterov"]),
        ("plateau", ["rmsprop", "adam"]),
        ("rosenbrock", ["momentum", "nesterov"]),
    ],
)
def test_problems_show_what_a_method_was_invented_for(name, methods):
    found = descend(name, [*methods, "gradient descent"], grid=3)
    plain = found.ranking[-1]
    assert plain.method == "gradient descent"
    lowest = found.problem.loss(np.array(found.problem.surface(61).lowest))
    assert all(path.losses[-1] - lowest < 0.8 * (plain.losses[-1] - lowest) for path in found.ranking[:-1])


def test_a_rate_is_the_best_of_the_grid():
    best = descend("bowl", ["momentum"], steps=20, grid=3).paths[0]
    tried = [descend("bowl", ["momentum"], steps=20, learning_rate=rate, grid=3).paths[0] for rate in RATES]
    assert best.losses[-1] == min(path.losses[-1] for path in tried if not path.diverged)
    assert best.learning_rate in RATES


def test_the_table_tells_of_divergence():
    assert "(diverged)" in str(descend("ravine", ["momentum"], learning_rate=1.0, grid=3))


# Drawings


def test_paths_are_drawn_on_the_surface():
    found = descend("line", steps=10, learning_rate=0.1, grid=15)
    axes = draw_descent(found)
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [*METHODS, "start"]
    assert axes.get_xlim() == pytest.approx(found.problem.window[0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("w", "b")
    drawn = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert np.array_equal(drawn["sgd"], found.paths[1].points)
    axes.figure.savefig(_nowhere())
    small = descend("ravine", ["adam"], steps=3, grid=2)
    assert draw_descent(small, axes) is axes
    draw_descent(descend("ravine", ["gradient descent"], learning_rate=0.5, grid=9)).figure.savefig(_nowhere())


def test_losses_are_drawn():
    found = descend("bowl", steps=10, grid=5)
    axes = draw_losses(found)
    assert axes.get_yscale() == "log"
    assert len(axes.lines) == 5
    axes.figure.savefig(_nowhere())


def _nowhere():
    return io.BytesIO()


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: problem("rosenbrok"), "unknown name 'rosenbrok'; did you mean 'rosenbrock'"),
        (lambda: problem("a**2 + c*b"), r"two parameters are needed; got 3 \(a, c, b\). Give the values"),
        (lambda: problem("a**2 + 1"), r"got 1 \(a\)"),
        (lambda: problem("a*b", ("a", "q")), "problem: parameter: unknown name 'q'"),
        (lambda: problem("a*+"), "cannot be read"),
        (lambda: problem("mean(w*x+b-t)", data={"x": [1, 2], "t": [1]}), "one row per sample, and equal lengths"),
        (lambda: problem("mean(w*x+b)", data={"x": 3}), "one row per sample"),
        (lambda: problem("mean(w*x+b)", data={"x": ["a"]}), "x must be numbers"),
        (lambda: problem("bowl", window=((1, 0), (0, 1))), r"window must be \(from, to\) for both parameters"),
        (lambda: problem("bowl", window=(1, 0)), r"window must be \(from, to\)"),
        (lambda: problem("bowl", start=(1, 2, 3)), r"start is two numbers; got shape \(3,\)"),
        (lambda: problem("bowl").surface(1), "at least 2 points per axis; got 1"),
        (lambda: problem("log(-1 - a**2 - b**2)").surface(3), "it needs numbers above 0"),
        (lambda: descend("bowl", ["adma"]), "did you mean 'adam'"),
        (lambda: descend("bowl", ["sgd"]), "sgd needs a problem with samples; got one without"),
        (lambda: descend("bowl", steps=0), "steps and batch_size must be at least 1; got 0 and 8"),
        (lambda: descend("bowl", learning_rate=-1), "learning_rate must be above 0; got -1"),
        (lambda: descend("bowl", learning_rate={"adma": 1}), "unknown name 'adma'"),
        (lambda: descend("bowl", learning_rate=float("nan")), "learning_rate must be above 0; got nan"),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_a_loss_that_is_no_number_is_a_shape_error():
    with pytest.raises(ShapeError, match="result must be a single number"):
        problem("w*x + b", data={"x": [1, 2]}).loss(np.zeros(2))
    with pytest.raises(ShapeError):
        problem("M @ x*a + b", ("a", "b"), data={"M": [[1, 2], [3, 4], [5, 6]], "x": [1, 2, 3]}).surface(2)
