"""Back-propagation through expressions: against hand-made numbers, finite differences and PyTorch."""

import itertools
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import ShapeError, UsageError
from striate.expression.operations import FUNCTIONS
from striate.worksheets.expression import backprop, draw_graph, finite_differences, parse
from striate.worksheets.expression.layered import layered_layout

LOGISTIC = "z = w*x + b; y = sigmoid(z); L = (y - t)**2/2; R = w**2/2; Lreg = L + lam*R"
PERCEPTRON = """
h = relu(x @ W1 + b1)          # hidden layer, one sample per row
z = h @ W2 + b2
loss = -mean(sum(t*log_softmax(z), axis=1)) + lam/2*(sum(W1**2) + sum(W2**2))
"""


def perceptron_values(seed=0):
    random = np.random.default_rng(seed)
    shapes = {"x": (5, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    values = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return values | {"t": np.eye(2)[random.integers(0, 2, 5)], "lam": 0.1}


# Numbers from the board


def test_chain_rule_of_a_textbook():
    found = backprop("x = cos(t); y = t**2; f = y + exp(x*y)", t=1)
    assert float(found.gradients["t"]) == pytest.approx(2.410479016249, abs=1e-12)
    x, y = math.cos(1), 1.0
    by_hand = y * math.exp(x * y) * -math.sin(1) + (1 + x * math.exp(x * y)) * 2
    assert float(found.gradients["t"]) == pytest.approx(by_hand, rel=1e-14)


def test_regularised_logistic_least_squares_as_in_the_lecture():
    w, x, b, t, lam = 0.7, 2.0, -1.0, 1.0, 0.3
    found = backprop(LOGISTIC, w=w, x=x, b=b, t=t, lam=lam)
    y = 1 / (1 + math.exp(-(w * x + b)))
    y_bar = y - t
    z_bar = y_bar * y * (1 - y)
    expected = {"Lreg": 1, "R": lam, "L": 1, "y": y_bar, "z": z_bar, "w": z_bar * x + lam * w, "b": z_bar}
    for name, value in expected.items():
        assert float(found[name].error) == pytest.approx(value, rel=1e-14)
    assert found.result == pytest.approx((y - t) ** 2 / 2 + lam * w**2 / 2, rel=1e-14)
    order = [step.node.name for step in found.steps]
    assert [name for name in order if name in "zyLRLreg"] == ["z", "y", "L", "R", "Lreg"]
    terms = [(term.user, term.text) for term in found["w"].terms]
    assert terms == [("v4", "v4_bar*2*w"), ("v1", "v1_bar*x")]


def test_terms_add_up_to_the_error_signal():
    found = backprop(PERCEPTRON, perceptron_values())
    for step in found.steps:
        if step.node.name != "loss":
            assert np.array_equal(sum(term.value for term in step.terms), step.error)
            assert step.error.shape == step.value.shape
    assert len(found["W1"].terms) == 2


WRITTEN = {
    name: getattr(np, name) for name in ("sin", "cos", "floor", "ceil", "exp", "log", "sign", "outer", "sum")
} | {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
}
ALL_RULES = """
p = tanh(a)*sigmoid(b) + softplus(a)/b - tan(b) + a**3 + b**a + 2**a - -a
q = sin(a)*cos(b) + exp(a) + log(b) + sqrt(b) + relu(a) + abs(a) + maximum(a, b) + minimum(a, b)
r = sum(softmax(v)*v) + logsumexp(v) + sum(log_softmax(v)) + v @ v + mean(v)
s = sum((M @ v)*(v @ M)*v) + sum(M @ M.T) + sum(M/v) + sum(v - M*a)
p*q + r*s + sum(transpose(M)*b) + floor(2*a) + ceil(b)
"""


def test_every_rule_on_the_board_is_true():
    """What is written for a term, computed with the values shown, is the term."""
    random = np.random.default_rng(0)
    values = {"a": 0.7, "b": 0.4, "v": random.uniform(0.1, 1, 3), "M": random.uniform(0.1, 1, (3, 3))}
    found = backprop(ALL_RULES, values)
    known = {step.node.name: step.value for step in found.steps} | {"count": 3}
    bars = {f"{step.node.name}_bar": step.error for step in found.steps}
    terms = [term for step in found.steps for term in step.terms]
    assert {step.node.operation.name for step in found.steps if step.node.operation} >= {
        operation.name for operation in FUNCTIONS.values()
    }
    for term in terms:
        result = np.broadcast_to(eval(term.text, {}, WRITTEN | known | bars), term.value.shape)
        np.testing.assert_allclose(result, term.value, rtol=1e-12, err_msg=term.text)
    for step in found.steps:
        if step.node.operation and step.node.operation.name not in ("logsumexp", "log_softmax", "transpose"):
            names = WRITTEN | {name: getattr(np, name) for name in ("tanh", "tan", "sqrt", "abs", "mean")}
            names |= {"relu": lambda x: x * (x > 0), "softplus": lambda x: np.log(1 + np.exp(x))}
            names |= {"maximum": np.maximum, "minimum": np.minimum}
            np.testing.assert_allclose(eval(step.node.formula, {}, names | known), step.value, rtol=1e-12)


def test_the_same_value_twice_in_one_operation():
    found = backprop("x*x", x=3)
    assert float(found.gradients["x"]) == 6
    assert [term.text for term in found["x"].terms] == ["result_bar*x", "result_bar*x"]


def test_a_result_that_is_used_again_keeps_its_own_one():
    found = backprop("z = w*2; q = z*5; z", w=3)
    assert (found.result, float(found.gradients["w"])) == (6, 2)
    assert "z_bar = 1 + q_bar*5" in str(found).replace("  ", "")


# Every function, against finite differences


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_against_finite_differences(name):
    random = np.random.default_rng(7)
    operation = FUNCTIONS[name]
    arguments = ["a", "b"][: len(operation.backward)]
    values = {"a": random.uniform(0.3, 1.2, (3, 4)), "b": random.uniform(0.3, 1.2, (3, 4))}
    call = f"{name}({', '.join(arguments)})"
    if name in ("dot", "matmul"):
        call = f"{name}(a, b.T)"
    calls = [call] + [f"{name}(a, axis={axis})" for axis in (0, 1, -1) if operation.takes_axis]
    for text in calls:
        assert_gradients(f"f = {text}; sum(sin(f + 1))", values)


@pytest.mark.parametrize("a", [-1.3, 0.7])
def test_functions_with_a_kink_on_both_sides(a):
    assert_gradients("relu(a) + 3*abs(a) + maximum(a, 0.1) - 2*minimum(0.1, a) + softplus(a)", {"a": a})


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("sum(exp(a @ b))", {"a": (3,), "b": (3,)}),
        ("sum((a @ b)**2)", {"a": (2, 3), "b": (3,)}),
        ("sum((a @ b)**2)", {"a": (3,), "b": (3, 2)}),
        ("sum((a @ b.T)**3)", {"a": (2, 3), "b": (4, 3)}),
        ("sum(a*b/c - b**2)", {"a": (2, 3), "b": (3,), "c": ()}),
        ("sum(a/b)", {"a": (2, 1), "b": (1, 3)}),
        ("sum(a**b)", {"a": (2, 1), "b": (3,)}),
        ("mean(a - b)", {"a": (), "b": (3, 2)}),
        ("sum(2**a) + sum(maximum(a, b))", {"a": (3,), "b": (1,)}),
        ("a*b", {"a": (1, 1), "b": ()}),
    ],
)
def test_broadcasting_and_products(text, shapes):
    random = np.random.default_rng(11)
    assert_gradients(text, {name: random.uniform(0.5, 1.5, shape) for name, shape in shapes.items()})


def assert_gradients(text, values):
    found = backprop(text, values)
    expected = finite_differences(text, values)
    for name, slope in expected.items():
        bound = 1e-7 * (1 + np.abs(slope).max() + abs(found.result))
        assert found.gradients[name].shape == np.shape(values[name])
        assert np.abs(found.gradients[name] - slope).max() <= bound, (text, name)


def test_the_check_notices_a_wrong_derivative(monkeypatch):
    wrong = FUNCTIONS["tanh"].__class__("tanh", "tanh({0})", FUNCTIONS["tanh"].forward, FUNCTIONS["sin"].backward)
    monkeypatch.setitem(FUNCTIONS, "tanh", wrong)
    with pytest.raises(AssertionError):
        assert_gradients("tanh(a)", {"a": 1.2})


leaves = st.sampled_from(["a", "b", "v", "M", "0.5", "2", "pi"])


def combine(inner):
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    functions = ("tanh", "sigmoid", "sin", "cos", "softplus", "-", "softmax")
    unary = st.tuples(st.sampled_from(functions), inner).map(lambda t: f"{t[0]}({t[1]})")
    safe = inner.map(lambda t: f"log(1 + ({t})**2)") | inner.map(lambda t: f"(1/(2 + sin({t})))")
    return (
        binary | unary | safe | inner.map(lambda t: f"sum({t}, axis=-1)*0.1" if "M" in t else f"sqrt(1 + ({t})**2)")
    )


@settings(max_examples=80, deadline=None)
@given(text=st.recursive(leaves, combine, max_leaves=8), seed=st.integers(0, 1000))
def test_random_expressions_against_finite_differences(text, seed):
    random = np.random.default_rng(seed)
    values = {
        "a": random.normal(),
        "b": random.normal(),
        "v": random.normal(size=3),
        "M": random.normal(size=(3, 3)),
    }
    whole = f"mean(tanh({text}*a/4))"
    try:
        parse(whole).forward(values)
    except ShapeError:
        return
    assert_gradients(whole, values)


def test_perceptron_gradients_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    values = perceptron_values()
    found = backprop(PERCEPTRON, values)
    leaf = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()}
    z = torch.relu(leaf["x"] @ leaf["W1"] + leaf["b1"]) @ leaf["W2"] + leaf["b2"]
    loss = -(leaf["t"] * torch.log_softmax(z, 1)).sum(1).mean()
    loss = loss + leaf["lam"] / 2 * ((leaf["W1"] ** 2).sum() + (leaf["W2"] ** 2).sum())
    loss.backward()
    assert found.result == pytest.approx(loss.item(), rel=1e-14)
    for name, tensor in leaf.items():
        np.testing.assert_allclose(found.gradients[name], tensor.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_stable_where_the_plain_formula_overflows():
    found = backprop("sigmoid(a) + softplus(b) + sum(softmax(c)*c)", a=-800, b=800, c=[1000, -1000])
    assert found.result == pytest.approx(1800)
    assert np.isfinite(found.gradients["c"]).all()


def test_powers_of_zero_and_of_negative_numbers():
    assert float(backprop("x**2", x=0).gradients["x"]) == 0
    assert float(backprop("x**0", x=0).gradients["x"]) == 0
    assert float(backprop("x**3", x=-2).gradients["x"]) == 12
    assert float(backprop("x**n", x=0, n=2).gradients["n"]) == 0


# Text


def test_numbers_are_folded_and_precedence_is_pythons():
    assert backprop("-x**2 + 1/2*4 - 2**-1", x=3).result == -7.5
    assert len(parse("(1 + 2)*3*x").nodes) == 2
    assert backprop("2*3").result == 6
    assert backprop("y = 4; x = y; x + pi*0").result == 4
    assert float(backprop("+x", x=2).gradients["x"]) == 1
    assert float(backprop("y = x; y", x=2).gradients["x"]) == 1
    assert backprop("ärger + λ", ärger=1, λ=2).result == 3


def test_automatic_names_avoid_the_users():
    names = [node.name for node in parse("v1*v1 + v2*x").nodes]
    assert names == ["v1", "v3", "v2", "x", "v4", "result"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs an expression"),
        ("w*", r"^expression: cannot be read: invalid syntax \(column 3\)"),
        ("(w*x", r"'\(' was never closed \(column 1\)"),
        ("w x", r"\(column 3\)"),
        ("lambda*w", "'lambda' is a keyword of Python; call it lam"),
        ("w^2", r"written with \*\*, not \^ \(column 1\)"),
        ("w*sigmod(x)", r"function at column 3: unknown name 'sigmod'; did you mean 'sigmoid'"),
        ("__import__('os').system('ls')", r"only arithmetic .* got .__import__\('os'\).system"),
        ("__import__(x)", "unknown name '__import__'"),
        ("x.real", "only arithmetic and the listed functions are allowed; got 'x.real'"),
        ("[x for x in w]", "only arithmetic"),
        ("(lambda: 1)()", "only arithmetic"),
        ("x[0]", r"got 'x\[0\]'"),
        ("x if w else 1", "only arithmetic"),
        ("x < w", "only arithmetic"),
        ("not x", "only arithmetic"),
        ("'text'", "only arithmetic"),
        ("True + x", r"got 'True' \(column 1\)"),
        ("1j*x", "only arithmetic"),
        ("x // w", "only arithmetic"),
        ("(y := x)", "only arithmetic"),
        ("f'{x}'", "only arithmetic"),
        ("exp", r"exp is a function; write exp\(...\)"),
        ("exp(x, w)", "exp takes 1 value; got 2"),
        ("maximum(x)", "maximum takes 2 values; got 1"),
        ("exp(*x)", "exp takes 1 value"),
        ("exp(x, axis=0)", "exp takes no axis"),
        ("sum(x, keepdims=1)", "sum takes no keepdims"),
        ("sum(x, **w)", r"sum takes no \*\*"),
        ("sum(x, axis=w)", "axis must be a whole number; got 'w'"),
        ("1e999*x", r"a number is too large \(column 1\)"),
        ("1" + "0" * 400 + "*x", "a number is too large"),
        ("w\n + exp = 3", r"only|cannot be read"),
        ("exp = 3", "exp is a function or constant; give the part another name"),
        ("a = x\na = w", r"a has a value already \(line 2\)"),
        ("x = 1; y = x*x; x = y", "x has a value already"),
        ("a = b; b = w; a", r"b is used before it is computed \(column 5\)"),
        ("a = a + 1", "a is used before it is computed"),
        ("z = w*x\nL = z*foo(2)", "function at line 2, column 7"),
        ("x+" * 3000 + "x", "nested too deeply|cannot be read"),
        ("(" * 300 + "x" + ")" * 300, "cannot be read"),
        ("x" * 10_001, "at most 10,000 characters"),
        ("x\0", "cannot be read"),
    ],
)
def test_what_is_no_expression_is_named_with_its_place(text, message):
    with pytest.raises(UsageError, match=message) as error:
        backprop(text, x=1.0, w=2.0)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        (
            "w*lamda",
            {"w": 1, "lam": 2},
            r"lamda \(column 3\) has no value; give lamda=... \(did you mean 'lam'\?\)",
        ),
        ("w*foo", {"w": 1}, r"foo \(column 3\) has no value; give foo=... \(given: w\)"),
        ("w", {}, r"w \(column 1\) has no value; give w=...$"),
        ("log(x)", {"x": -1}, r"log\(x\) \(column 1\) is not a finite number; it needs numbers above 0"),
        ("1/x", {"x": 0}, "it needs a divisor other than 0"),
        ("x**0.5", {"x": -1}, "a broken power needs a positive base"),
        ("exp(x)", {"x": 1000}, "it overflows above 709"),
        ("x*x", {"x": 1e200}, r"x\*x \(column 1\) is not a finite number. Change"),
        ("sqrt(x)", {"x": 0}, "error signal of x .* is not finite; result has no derivative there"),
        ("x**n", {"x": -1, "n": 2}, "error signal of n .* write an exponent as a number"),
        ("W @ x", {"W": [[1, 2]], "x": [1, 2, 3]}, r"W @ x \(column 1\): shapes \(1, 2\) and \(3,\) do not fit"),
        ("W @ x", {"W": 1, "x": [1, 2, 3]}, r"shapes \(\) and \(3,\) do not fit"),
        ("softmax(x)", {"x": 1}, r"axis -1 does not exist in shape \(\)"),
        ("sum(x, axis=2)", {"x": [1, 2]}, r"axis 2 does not exist in shape \(2,\)"),
        ("x", {"x": [1, 2]}, r"single number; got shape \(2,\). Write sum\(...\)"),
        ("sum(x)", {"x": np.zeros((2, 2, 2))}, r"x must be a number, vector or matrix; got shape \(2, 2, 2\)"),
        ("sum(x)", {"x": [[1], [2, 3]]}, r"uneven rows \(of 1, 2 values\). Give every row"),
        ("x", {"x": "three"}, "x must be numbers; got str 'three'"),
        ("x", {"x": None}, "x must be numbers; got NoneType"),
        ("x", {"x": float("nan")}, "x must be finite numbers; got nan"),
        ("sum(x)", {"x": []}, "x must be numbers; got none"),
    ],
)
def test_values_that_do_not_fit(text, values, message):
    with pytest.raises(UsageError, match=message) as error:
        backprop(text, values)
    assert "\n" not in str(error.value)


def test_finite_differences_say_what_is_missing():
    with pytest.raises(UsageError, match=r"b \(column 3\) has no value"):
        finite_differences("a*b", a=1)


def test_a_step_that_does_not_exist():
    with pytest.raises(UsageError, match="'q' is not a value of this expression; it has w, result"):
        backprop("w*2", w=1)["q"]


# Board and picture


def test_board_shows_both_passes_in_order():
    text = str(backprop(LOGISTIC, w=0.5, x=2, b=-1, t=1, lam=0.1, extra=3))
    forward, backward = text.split("backward")
    assert forward.index(" z ") < forward.index(" y ") < forward.index(" Lreg ")
    assert (
        backward.index("Lreg_bar") < backward.index("y_bar ") < backward.index("z_bar ") < backward.index("w_bar")
    )
    assert "w_bar    = v4_bar*2*w + v1_bar*x = 0.05 - 0.25 = -0.2" in text
    assert "y    = sigmoid(z) = 0.5" in text
    assert "given but not used: extra" in text
    assert "0, not used by the result" in str(backprop("q = 2*w; w", w=1))
    assert "-result_bar*a/b**2" in str(backprop("a/b", a=1, b=2))
    assert "sum(result_bar" not in str(backprop("a/b", a=1, b=2))
    assert "axis=0" in str(backprop("sum(M*v + sum(M, axis=0))", M=np.eye(3), v=[1, 2, 3]))
    assert "array of shape (5, 5)" in str(backprop("sum(M)", M=np.eye(5)))


@pytest.mark.parametrize("text", [LOGISTIC, PERCEPTRON, "x", "x*x*x + x"])
def test_picture_is_well_formed_and_nothing_overlaps(text):
    values = perceptron_values() if "W1" in text else dict.fromkeys(("w", "x", "b", "t", "lam"), 0.5)
    found = backprop(text, values)
    picture = draw_graph(found)
    assert found._repr_svg_() == picture
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(picture)
    boxes = []
    for group in root.findall(f"{space}g"):
        rect = group.find(f"{space}rect")
        x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        boxes.append((x, y, x + width, y + height))
        baselines = [float(line.get("y")) for line in group.findall(f"{space}text")]
        assert all(b - a >= 12 for a, b in itertools.pairwise(baselines))
        assert y + 10 < baselines[0]
        assert baselines[-1] < y + height - 3
        for line in group.findall(f"{space}text"):
            assert float(line.get("x")) + 7.3 * len(line.text) <= x + width
    assert len(boxes) == len(found.steps)
    for i, a in enumerate(boxes):
        assert 0 <= a[0] < a[2] <= float(root.get("width"))
        assert 0 <= a[1] < a[3] <= float(root.get("height"))
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_picture_escapes_its_text():
    assert "<title>a # &lt;script&gt;" in draw_graph(backprop("a # <script>", a=1)).replace(
        "Computation graph of ", ""
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 12))
def test_layout_of_random_graphs(data, count):
    """Boxes lie apart, sources left of their users, and no straight part of a line enters a box."""
    sizes = {f"n{i}": (data.draw(st.integers(20, 90)), data.draw(st.integers(10, 60))) for i in range(count)}
    pairs = [(f"n{i}", f"n{j}") for j in range(count) for i in range(j)]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18)) if pairs else []
    layout = layered_layout(sizes, edges)
    boxes = list(layout.boxes.values())
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart_x = a.x + a.width <= b.x or b.x + b.width <= a.x
            assert apart_x or a.y + a.height <= b.y or b.y + b.height <= a.y
    for (source, user), points in layout.paths.items():
        assert layout.boxes[source].x < layout.boxes[user].x
        for (x1, y1), (x2, y2) in zip(points[::2], points[1::2], strict=True):
            assert y1 == y2
            assert x1 <= x2 + 1e-9
            for name, box in layout.boxes.items():
                inside = box.y < y1 < box.y + box.height and x1 < box.x + box.width and box.x < x2
                assert name in (source, user) or not inside
