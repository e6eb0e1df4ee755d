"""``striate approximate``: networks of several widths learn a function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json


def approximate(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help='A function of x, such as "sin(3*x)".')],
    units: Annotated[
        str, typer.Option(metavar="N,N,...", help="Hidden units, one network for each.")
    ] = "1,3,10,100",
    samples: Annotated[int, typer.Option(metavar="N", help="Number of samples to learn from.")] = 200,
    noise: Annotated[
        float, typer.Option(metavar="X", help="Standard deviation of the noise in the samples.")
    ] = 0.0,
    window: Annotated[str, typer.Option(metavar="A,B", help="Range of x.")] = "-3,3",
    activation: Annotated[str, typer.Option(metavar="NAME", help="tanh, relu or sigmoid.")] = "tanh",
    epochs: Annotated[int, typer.Option(metavar="N", help="Number of epochs.")] = 400,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of samples and training.")] = 0,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Image to write; a .gif shows the training.")] = Path(
        "approximation.png"
    ),
    json: Json = False,
) -> None:
    """Train networks with one hidden layer on a function: universal approximation, under- and overfitting.

    striate approximate "sin(3*x)" --units 2,5,20 --out approximation.gif

    striate approximate "sin(2*x)" --samples 15 --noise 0.2 --units 1,3,10,100 --epochs 1000
    """
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.explain.approximation import approximate as run
    from striate.explain.draw_approximation import animated_approximation, draw_approximation
    from striate.numbers import parse_numbers
    from striate.storage.atomic import write_atomically

    output = Output(json)
    ends, widths = parse_numbers(f"[{window}]", "--window"), parse_numbers(f"[{units}]", "--units")
    found = run(
        function,
        [int(n) if n == int(n) else n for n in widths.ravel().tolist()],
        samples=samples,
        noise=noise,
        window=tuple(ends.ravel().tolist()),
        activation=activation,
        epochs=epochs,
        seed=seed,
    )
    output.line(found)
    if out.suffix.lower() == ".gif":
        write_atomically(out, animated_approximation(found))
    else:
        write_figure(draw_approximation(found), out)
    output.line(f"picture: {out}")
    fits = [{"units": one.units, "error": one.train_error, "new_error": one.new_error} for one in found.fits]
    output.result({"function": function, "fits": fits, "best": found.best.units, "picture": str(out)})
