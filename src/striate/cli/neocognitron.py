"""``striate neocognitron``: train Fukushima's network of 2003."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli import samples as s
from striate.cli.options import DataArgument, Json, model_suffix


def neocognitron(
    data: DataArgument,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Model file to write.", callback=model_suffix)] = Path(
        "neocognitron.safetensors"
    ),
    count: Annotated[
        int | None,
        typer.Option(
            "--samples", metavar="N", help="Number of training samples. (default: all)", show_default=False
        ),
    ] = None,
    unsupervised: Annotated[
        int, typer.Option(metavar="N", help="Number of samples that the second and third stages learn from.")
    ] = 1500,
    epochs: Annotated[int, typer.Option(metavar="N", help="Passes of the fourth stage over the samples.")] = 1,
    threshold: Annotated[
        float,
        typer.Option(metavar="X", help="The fourth stage adds a plane below this similarity."),
    ] = 0.9,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Train the Neocognitron of 2003 on grey images, without gradients, and test it.

    striate neocognitron mnist --samples 3000 --out neocognitron.safetensors
    """
    import time

    import numpy as np

    from striate.cli.output import Output
    from striate.data import registry
    from striate.errors import UsageError
    from striate.training.neocognitron import train_2003
    from striate.training.neocognitron.train_2003 import LEARNING_THRESHOLDS

    output = Output(json)
    splits = registry.load(data, data_dir, validation_fraction=0.0)
    if count is not None and not 1 <= count <= len(splits.train):
        raise UsageError(f"--samples: must be 1 to {len(splits.train):,}; got {count}.")
    train = splits.train if count is None else splits.train.take(np.arange(count))
    started = time.perf_counter()
    model = train_2003(
        train.inputs,
        train.targets,
        classes=train.classes,
        unsupervised=unsupervised,
        epochs=epochs,
        learning_thresholds=(*LEARNING_THRESHOLDS[:2], threshold),
        report=output.line,
    )
    seconds = time.perf_counter() - started
    output.line(f"trained on {len(train):,} samples in {seconds:.1f} s; written: {model.save(out)}")
    facts: dict[str, Any] = {"samples": len(train), "seconds": seconds, "parameters": model.network.parameter_count}
    if splits.test is not None:
        facts["test_accuracy"] = model.evaluate(splits.test).accuracy
        output.line(f"test accuracy {facts['test_accuracy']:.2%} on {len(splits.test):,} samples")
    output.result({**facts, "file": str(out)})
