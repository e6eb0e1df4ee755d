from __future__ import annotations

import pytest

from striate.errors import UsageError
from striate.training.run import DataConfig, ModelConfig, RunConfig, RunFolder, TrainingSettings, train
from striate.training.run.cross_validation import cross_validate, folds_in
from striate.training.run.record import find_runs, read_record
from striate.training.run.selection import ordered, select


def config(**training) -> RunConfig:
    return RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp", options={"hidden": (8,)}),
        training=TrainingSettings(**{"epochs": 2, "batch_size": 200, "augmentation": "none", **training}),
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        train(config(seed=seed), folder / f"run-{seed}", report=False)
    train(config(epochs=1), folder / "deeper" / "short", report=False)
    return folder


class TestFindRuns:
    def test_the_latest_comes_first_and_figures_are_those_of_the_run(self, runs):
        found = find_runs([runs, runs / "run-0"])
        assert {record.folder.name for record in found} == {"run-0", "run-1", "short"}
        record = next(record for record in found if record.folder.name == "run-1")
        log = RunFolder(record.folder)
        assert (record.state, record.data, record.model, record.seed) == ("finished", "digits", "mlp", 1)
        assert (record.epochs, record.split, record.parameters) == (2, "test", 64 * 8 + 8 + 80 + 10)
        assert f'"test_accuracy": {record.accuracy}' in log.log.read_text()
        assert record.settings["training.batch_size"] == 200

    def test_states(self, runs, tmp_path):
        place = RunFolder(tmp_path / "a")
        with place.hold():
            config().save(place.config)
            assert read_record(place.path).state == "training"
        assert read_record(place.path).state == "stopped"
        place.log.write_text('{"event": "diverged"}\n')
        assert read_record(place.path).state == "diverged"
        place.config.write_text("[data\n")
        assert read_record(place.path).state == "unreadable"

    def test_no_folder_and_no_run(self, tmp_path):
        with pytest.raises(UsageError, match="nothing: no such folder"):
            find_runs([tmp_path / "nothing"])
        with pytest.raises(UsageError, match="must be the folder of a run"):
            read_record(tmp_path)
        assert find_runs([tmp_path]) == []


class TestSelection:
    def names(self, records):
        return [record.folder.name for record in records]

    def test_conditions_on_figures_and_settings(self, runs):
        found = find_runs([runs])
        assert self.names(select(found, "seed=1")) == ["run-1"]
        assert self.names(select(found, "training.epochs < 2")) == ["short"]
        assert select(found, "model!=mlp") == []
        assert len(select(found, "accuracy>=0")) == 3
        assert len(select(found, "training.winograd=true")) == 3

    def test_order(self, runs):
        found = find_runs([runs])
        best = ordered(found, "accuracy")
        assert [r.accuracy for r in best] == sorted((r.accuracy for r in found), reverse=True)
        assert ordered(found, "accuracy", reverse=True) == ordered(best, "accuracy", reverse=True)
        assert self.names(ordered(found, "epochs"))[0] == "short"

    def test_mistakes(self, runs):
        found = find_runs([runs])
        with pytest.raises(UsageError, match="did you mean 'accuracy'"):
            select(found, "acuracy>0.5")
        with pytest.raises(UsageError, match=r"did you mean 'training\.seed'"):
            ordered(found, "training.sed")
        with pytest.raises(UsageError, match="filter: must be NAME"):
            select(found, "accuracy")


class TestCrossValidation:
    def test_folds_that_have_ended_are_kept(self, tmp_path):
        begun, continued = [], []

        def begin(config, place):
            begun.append(place.name)
            train(config, place, report=False)

        found = cross_validate(config(), tmp_path / "cv", 2, begin, continued.append)
        again = cross_validate(config(), tmp_path / "cv", 2, begin, continued.append)
        assert begun == ["fold-1", "fold-2"]
        assert again == found
        assert folds_in(tmp_path / "cv") == 2
        accuracies = [record.accuracy for record in found.records]
        mean, deviation = found.summary()["accuracy"]
        assert mean == pytest.approx(sum(accuracies) / 2)
        assert deviation == pytest.approx(abs(accuracies[0] - accuracies[1]) / 2**0.5)
        with pytest.raises(UsageError, match="holds a cross-validation with 2 folds; got 3"):
            cross_validate(config(), tmp_path / "cv", 3, begin, continued.append)

    def test_a_fold_that_was_stopped_goes_on(self, tmp_path):
        def stop(config, place):
            config.save(RunFolder(place).config)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cross_validate(config(), tmp_path / "cv", 2, stop, print)
        (tmp_path / "cv" / "fold-1").mkdir(parents=True, exist_ok=True)
        continued = []
        cross_validate(config(), tmp_path / "cv", 2, lambda c, p: c.save(RunFolder(p).config), continued.append)
        assert [place.name for place in continued] == ["fold-1"]

    def test_mistakes(self, tmp_path):
        with pytest.raises(UsageError, match="folds: must be at least 2; got 1"):
            cross_validate(config(), tmp_path / "cv", 1, print, print)
        one = RunConfig(data=DataConfig(name="digits", options={"fold": "1/2"}))
        with pytest.raises(UsageError, match="got --fold too"):
            cross_validate(one, tmp_path / "cv", 2, print, print)
