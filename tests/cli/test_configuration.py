"""From options to the configuration of a run."""

from __future__ import annotations

import pytest

from striate.cli.configuration import data_options, model_label, run_config
from striate.data.augmentation import Augmentation, Rotation
from striate.errors import UsageError
from striate.training import Momentum
from striate.training.run import DataConfig, ModelConfig, RunConfig
from striate.training.settings.callbacks import EarlyStoppingSettings, ReduceOnPlateauSettings


def test_a_file_without_data_takes_the_data_set_that_was_typed(tmp_path):
    path = tmp_path / "part.toml"
    path.write_text("[training]\nepochs = 7\n")
    found = run_config({"dataset": "digits"}, path)
    assert (found.data.name, found.training.epochs) == ("digits", 7)
    with pytest.raises(UsageError, match="data: is missing"):
        run_config({}, path)
    path.write_text("data = 3\n")
    with pytest.raises(UsageError, match="must be text; got 3"):
        run_config({"dataset": "digits"}, path)


def test_what_is_not_typed_is_left_to_the_recipe_of_the_data():
    assert run_config({"dataset": "mnist"}) == RunConfig(data=DataConfig(name="mnist"))
    assert not run_config({"dataset": "digits", "augment": "none"}).training.augmentation.transforms
    assert run_config({"dataset": "digits", "epochs": 3}).training.epochs == 3
    assert run_config({"dataset": "digits", "warm_up": 2.0}).training.schedule == {"warm_up_epochs": 2.0}


def test_options_come_on_top_of_a_file(tmp_path):
    model = ModelConfig(name="mlp", options={"hidden": (3,)})
    path = RunConfig(data=DataConfig(name="digits"), model=model).save(tmp_path / "run.toml")
    assert run_config({"warm_up": 1.0, "seed": 4}, path).model == model
    assert run_config({"warm_up": 1.0}, path).training.schedule == {"warm_up_epochs": 1.0}
    assert run_config({"new_head": True, "model": "old.safetensors"}, path).model == ModelConfig(
        name="old.safetensors", new_head=True
    )


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({"dataset": "digits"}, "lenet5"),
        ({"dataset": "digits", "model": "mlp"}, "mlp"),
        ({"dataset": "photographs/"}, None),
    ],
)
def test_the_model_in_the_name_of_a_run(given, label):
    assert model_label(run_config(given)) == label


def test_values_go_where_they_belong():
    config = run_config(
        {
            "dataset": "photographs/",
            "size": "32x48",
            "optimizer": "momentum",
            "schedule": "step:5:0.5",
            "warm_up": 2.0,
            "batch_size": "full",
            "early_stopping": "4",
            "freeze": ["conv*"],
            "augment": "rotation:5",
            "l2": 0.1,
        }
    )
    assert config.data.options.size == (32, 48)
    assert config.training.optimizer == Momentum()
    assert config.training.schedule == {"name": "step", "every_epochs": 5.0, "factor": 0.5, "warm_up_epochs": 2.0}
    assert config.training.batch_size == "full"
    assert config.early_stopping == EarlyStoppingSettings(patience=4)
    assert tuple(config.training.freeze) == ("conv*",)
    assert config.training.augmentation == Augmentation((Rotation(5),))
    assert config.training.regularisation.l2 == 0.1


def test_options_of_a_model():
    words = ["dropout=true", "hidden=256,100", "width=8", "rate=0.5", "activation=tanh"]
    found = run_config({"dataset": "digits", "model": "x", "model_option": words}).model
    expected = {"dropout": True, "hidden": (256, 100), "width": 8, "rate": 0.5, "activation": "tanh"}
    assert (found.name, found.options) == ("x", expected)


@pytest.mark.parametrize("word", ["dropout", "=3", "dropout="])
def test_options_of_a_model_need_a_name_and_a_value(word):
    with pytest.raises(UsageError, match="--model-option: must be NAME=VALUE, such as dropout=true; got"):
        run_config({"dataset": "digits", "model_option": [word]})


def test_zero_is_a_value():
    assert run_config({"dataset": "digits", "validation": 0.0}).data.validation_fraction == 0
    assert run_config({"dataset": "digits", "seed": 0}).training.seed == 0


def test_options_for_reading():
    options = data_options({"size": "8x8", "label": "digit", "epochs": 3, "group": None})
    assert (options.size, options.label, options.group) == ((8, 8), "digit", None)


def test_options_with_several_values():
    given = {
        "dataset": "digits",
        "early_stopping": "5:0.01:val_accuracy",
        "reduce_on_plateau": "loss:2:0.5:1e-5",
        "class_weights": "3=2 5=0.5",
        "rate": ["conv*=0.1", "linear1=0"],
        "weighted_validation": True,
        "checkpoint_steps": 50,
    }
    config = run_config(given)
    assert config.early_stopping == EarlyStoppingSettings(monitor="val_accuracy", patience=5, min_delta=0.01)
    assert config.reduce_on_plateau == ReduceOnPlateauSettings(monitor="loss", patience=2, factor=0.5, floor=1e-5)
    assert config.training.class_weights == {"3": 2.0, "5": 0.5}
    assert config.training.rates == {"conv*": 0.1, "linear1": 0.0}
    assert config.training.weighted_validation
    assert config.checkpoint.every_steps == 50
    assert run_config({"dataset": "digits", "early_stopping": "none"}).early_stopping is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"early_stopping": "soon"}, r"--early-stopping: must be EPOCHS\[:MIN_DELTA\]\[:METRIC\].*; got 'soon'"),
        (
            {"early_stopping": "4:x"},
            "--early-stopping: each colon must be followed by a number, as in 4:0.1; got '4:x'",
        ),
        ({"reduce_on_plateau": "1:2:3:4"}, "--reduce-on-plateau: must be EPOCHS.*; got '1:2:3:4'"),
        ({"class_weights": "a=1 b"}, "--class-weights: must be NAME=NUMBER, such as .*; got 'b'"),
        ({"rate": ["conv*=slow"]}, "--rate: the = must be followed by a number, as in .*; got 'conv.*=slow'"),
    ],
)
def test_options_with_several_values_that_mean_nothing(given, message):
    with pytest.raises(UsageError, match=message):
        run_config({"dataset": "digits", **given})
