"""``striate train`` and ``striate resume``: teach a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import options as o
from striate.cli.options import Json


def train(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="digits, mnist, ...; or a folder or file.")
    ] = None,
    model: o.Model = None,
    model_option: o.ModelOption = None,
    new_head: o.NewHead = False,
    epochs: o.Epochs = None,
    seed: o.Seed = None,
    threads: o.Threads = None,
    no_winograd: o.NoWinograd = False,
    json: Json = False,
    data_dir: o.DataDir = None,
    validation: o.Validation = None,
    size: o.Size = None,
    channels: o.Channels = None,
    fit: o.Fit = None,
    shape: o.Shape = None,
    label: o.Label = None,
    group: o.Group = None,
    ignore: o.Ignore = None,
    missing: o.Missing = None,
    task: o.Task = None,
    test_fraction: o.TestFraction = None,
    max_bad_share: o.MaxBadShare = None,
    batch_size: o.BatchSize = None,
    optimizer: o.Optimizer = None,
    learning_rate: o.LearningRate = None,
    schedule: o.Schedule = None,
    warm_up: o.WarmUp = None,
    initial: o.Initial = None,
    loss: o.Loss = None,
    class_weights: o.ClassWeights = None,
    sampling: o.Sampling = None,
    weighted_validation: o.WeightedValidation = False,
    freeze: o.Freeze = None,
    rate: o.Rate = None,
    reduce_on_plateau: o.ReduceOnPlateau = None,
    early_stopping: o.EarlyStopping = None,
    augment: o.Augment = None,
    weight_decay: o.WeightDecay = None,
    l1: o.L1 = None,
    l2: o.L2 = None,
    label_smoothing: o.LabelSmoothing = None,
    max_norm: o.MaxNorm = None,
    clip_norm: o.ClipNorm = None,
    clip_value: o.ClipValue = None,
    weight_noise: o.WeightNoise = None,
    out: o.Out = None,
    config: o.Config = None,
    checkpoint_steps: o.CheckpointSteps = None,
    checkpoint_minutes: o.CheckpointMinutes = None,
    keep_checkpoints: o.KeepCheckpoints = None,
    csv_log: o.CSVLog = False,
    tensorboard: o.TensorBoard = False,
    report: o.Report = True,
) -> None:
    """Train a network on a data set, test it and save it.

    striate train digits

    striate train mnist --model digit_recogniser --epochs 20 --out runs/mine

    striate train photographs/ --size 64x64

    What is not said is chosen by the data: the network, the epochs, the random changes of photographs.
    """
    from striate.cli.configuration import model_label, run_config
    from striate.cli.folders import run_folder
    from striate.cli.output import Output
    from striate.cli.running import Runner

    settings = run_config(context.params, config)
    output = Output(json)
    runner = Runner(output, report)
    with run_folder(out, settings.data.name, model_label(settings)) as folder:
        runner.train(settings, folder)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a run.")],
    report: o.Report = True,
    json: Json = False,
) -> None:
    """Go on with a run that was stopped; it ends with the same bits as one that was not.

    striate resume runs/digits-lenet5
    """
    from striate.cli.output import Output
    from striate.cli.running import Runner

    Runner(Output(json), report).resume(folder)
