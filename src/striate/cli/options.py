"""Arguments that several commands share, or that are many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(*names: str, what: str, value: str | None = None, panel: str | None = None) -> Any:
    return typer.Option(*names, metavar=value, help=what, rich_help_panel=panel, show_default=False)


LEARNING, REGULARISATION, DATA, RUN = "Learning", "Regularisation", "Data", "Run"

DataArgument = Annotated[str, typer.Argument(metavar="DATASET", help="digits, mnist, ...; or a folder or file.")]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file (.safetensors).")]
Json = Annotated[bool, _option("--json", what="End standard output with one JSON object.")]
Threads = Annotated[
    int | None, _option("--threads", value="T", what="Default all cores; changes no bit of the result.")
]
NoWinograd = Annotated[bool, _option("--no-winograd", what="Sum 3x3 convolutions directly: slower, rounds less.")]

DataDir = Annotated[
    Path | None, _option("--data-dir", value="DIR", what="Where a named set lies; else downloaded.", panel=DATA)
]
Size = Annotated[
    str | None, _option("--size", value="RxC", what="Bring images to this size, such as 64x64.", panel=DATA)
]
Channels = Annotated[
    int | None, _option("--channels", value="1|3", what="Read images grey or in colour.", panel=DATA)
]
Fit = Annotated[
    str | None, _option("--fit", value="HOW", what="Other proportions: stretch, crop or pad.", panel=DATA)
]
Shape = Annotated[
    str | None, _option("--shape", value="CxHxW", what="What the numbers of a table row stand for.", panel=DATA)
]
Label = Annotated[
    str | None, _option("--label", value="COLUMN", what="The column of a table with the labels.", panel=DATA)
]
Ignore = Annotated[
    list[str] | None, _option("--ignore", value="COLUMN", what="A column of a table to leave out.", panel=DATA)
]
Missing = Annotated[
    str | None,
    _option("--missing", value="RULE", what="Missing numbers: impute (the median) or refuse.", panel=DATA),
]
Task = Annotated[
    str | None,
    _option("--task", value="TASK", what="What labels are: classification or regression.", panel=DATA),
]
Group = Annotated[
    str | None,
    _option("--group", value="WHAT", what="Column, or pattern in file names, kept together in splits.", panel=DATA),
]
TestFraction = Annotated[
    float | None,
    _option("--test-fraction", value="SHARE", what="Cut out for testing if there is no test part.", panel=DATA),
]
MaxBadShare = Annotated[
    float | None, _option("--max-bad-share", value="SHARE", what="More unreadable files are an error.", panel=DATA)
]
Validation = Annotated[
    float | None,
    _option("--validation", value="SHARE", what="Of the training part; default 0.1.", panel=DATA),
]

Model = Annotated[
    str | None,
    _option("--model", value="NAME|FILE", what="A network (default: by the data), or a model to go on from."),
]
ModelOption = Annotated[
    list[str] | None,
    _option("--model-option", value="NAME=VALUE", what="Such as dropout=true or hidden=256,100; may be repeated."),
]
NewHead = Annotated[bool, _option("--new-head", what="Replace the last layer of a saved model, for other classes.")]
Seed = Annotated[int | None, _option("--seed", value="S", what="Fixes every random number; default 0.")]
Epochs = Annotated[
    int | None,
    _option("--epochs", value="N", what="Times through the samples; default by the data."),
]
BatchSize = Annotated[
    str | None,
    _option(
        "--batch-size", value="N|full", what="Samples of a step; default by the data, mostly 64.", panel=LEARNING
    ),
]
Optimizer = Annotated[
    str | None,
    _option(
        "--optimizer",
        value="NAME",
        what="adam (default), adamw (for photographs), momentum, sgd, ...",
        panel=LEARNING,
    ),
]
LearningRate = Annotated[
    float | None,
    _option(
        "--learning-rate", value="X", what="Default: by the data, or the optimizer's usual one.", panel=LEARNING
    ),
]
Schedule = Annotated[
    str | None,
    _option(
        "--schedule",
        value="NAME",
        what="cosine (default), constant, step:EPOCHS:FACTOR, exponential, one_cycle.",
        panel=LEARNING,
    ),
]
WarmUp = Annotated[
    float | None, _option("--warm-up", value="EPOCHS", what="Let the rate rise at the beginning.", panel=LEARNING)
]
Initial = Annotated[
    str | None,
    _option("--initial", value="NAME", what="First weights: glorot, he, ...", panel=LEARNING),
]
Loss = Annotated[
    str | None,
    _option("--loss", value="NAME", what="Such as huber:0.5; default: what the labels call for.", panel=LEARNING),
]
ClassWeights = Annotated[
    str | None,
    _option(
        "--class-weights",
        value="WHAT",
        what="balanced: let rare classes count more; or 'crack=3 sound=1'.",
        panel=LEARNING,
    ),
]
WeightedValidation = Annotated[
    bool,
    _option("--weighted-validation", what="Let class weights count in validation figures too.", panel=LEARNING),
]
Sampling = Annotated[
    str | None, _option("--sampling", value="balanced", what="Draw as many samples of each class.", panel=LEARNING)
]
Freeze = Annotated[
    list[str] | None,
    _option(
        "--freeze", value="PATTERN", what="What does not learn, such as 'conv*'; may be repeated.", panel=LEARNING
    ),
]
Rate = Annotated[
    list[str] | None,
    _option(
        "--rate",
        value="PATTERN=FACTOR",
        what="What learns at a multiple of the rate, such as 'conv*=0.1'; may be repeated.",
        panel=LEARNING,
    ),
]
ReduceOnPlateau = Annotated[
    str | None,
    _option(
        "--reduce-on-plateau",
        value="EPOCHS",
        what="Lower the rate when stuck so long; or EPOCHS:FACTOR:FLOOR:FIGURE.",
        panel=LEARNING,
    ),
]
EarlyStopping = Annotated[
    str | None,
    _option(
        "--early-stopping",
        value="EPOCHS",
        what="Stop if nothing improved so long; or EPOCHS:LEAST_CHANGE:FIGURE.",
        panel=LEARNING,
    ),
]

Augment = Annotated[
    str | None,
    _option(
        "--augment",
        value="CHANGES",
        what="Random changes, such as 'rotation:10 zoom:0.9:1.1 shift:0.1'; or none. Default: by the data.",
        panel=REGULARISATION,
    ),
]
WeightDecay = Annotated[float | None, _option("--weight-decay", value="X", what="Decoupled.", panel=REGULARISATION)]
L1 = Annotated[float | None, _option("--l1", value="X", what="Penalty on sizes of weights.", panel=REGULARISATION)]
L2 = Annotated[float | None, _option("--l2", value="X", what="Penalty on their squares.", panel=REGULARISATION)]
LabelSmoothing = Annotated[
    float | None, _option("--label-smoothing", value="X", what="From 0 to below 1.", panel=REGULARISATION)
]
MaxNorm = Annotated[
    float | None, _option("--max-norm", value="X", what="Bound on each unit's weights.", panel=REGULARISATION)
]
ClipNorm = Annotated[
    float | None, _option("--clip-norm", value="X", what="Bound on the gradient's length.", panel=REGULARISATION)
]
ClipValue = Annotated[
    float | None, _option("--clip-value", value="X", what="Bound on its elements.", panel=REGULARISATION)
]
WeightNoise = Annotated[
    float | None, _option("--weight-noise", value="X", what="Noise on the weights.", panel=REGULARISATION)
]

Config = Annotated[
    Path | None,
    _option("--config", value="FILE", what="A TOML file as runs keep; options come on top.", panel=RUN),
]
Out = Annotated[
    Path | None, _option("--out", value="DIR", what="The folder of the run; default a new one in runs/.", panel=RUN)
]
CheckpointSteps = Annotated[
    int | None, _option("--checkpoint-steps", value="N", what="Besides after every epoch.", panel=RUN)
]
CheckpointMinutes = Annotated[
    float | None,
    _option("--checkpoint-minutes", value="X", what="Besides after every epoch; default 5.", panel=RUN),
]
KeepCheckpoints = Annotated[
    int | None, _option("--keep-checkpoints", value="N", what="How many of the last stay; default 3.", panel=RUN)
]
CSVLog = Annotated[bool, _option("--csv-log", what="Write log.csv too, one line per epoch.", panel=RUN)]
TensorBoard = Annotated[
    bool, _option("--tensorboard", what="Write events for TensorBoard, which must be installed.", panel=RUN)
]
Report = Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.", rich_help_panel=RUN)]
