from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time

import pytest

pytest.importorskip("optuna")

from faults import Killed
from striate import load
from striate.errors import DataError, UsageError
from striate.search import Search, SearchSettings, parse_range
from striate.search.page import Findings, write_search_report
from striate.search.study import Study
from striate.training.callbacks import Callback
from striate.training.run import DataConfig, ModelConfig, RunConfig, TrainingSettings, train
from striate.training.run.lock import locked

RANGES = tuple(map(parse_range, ["hidden=4,8,300", "learning_rate=1e-3:1e-1:log"]))


def config(**training) -> RunConfig:
    return RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp"),
        training=TrainingSettings(**{"epochs": 3, "batch_size": 200, "augmentation": "none", **training}),
    )


def search(folder, callbacks=list, **more) -> Search:
    settings = {"trials": 8, "ranges": RANGES, "best": 1, "seeds": 2, "max_parameters": 2000, **more}
    return Search(folder, config(), SearchSettings(**settings), callbacks)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    found = search(tmp_path_factory.mktemp("search"))
    assert found.run()
    return found


def test_every_trial_is_a_run_and_none_exceeds_the_limit(done):
    trials = done.study.trials()
    counted = [trial for trial in trials if "misfit" not in trial.user_attrs]
    assert len(counted) == 8
    for trial in counted:
        model = load(done.folder_of(trial) / "model.safetensors")
        assert model.network.parameter_count == trial.user_attrs["parameters"] <= 2000
    misfits = [trial for trial in trials if "misfit" in trial.user_attrs]
    assert all(trial.params["hidden"] == 300 for trial in misfits)
    assert not any(done.folder_of(trial).exists() for trial in misfits)


def test_the_best_is_trained_again_and_can_be_repeated(done, tmp_path):
    found = Findings(done)
    page = write_search_report(found)
    best = found.ranked[0]
    assert len(done.scores(best)) == len(found.test(best)) == 2
    text = page.read_text("utf-8")
    for title in ("Best", "With other seeds", "History", "Importance", "Size and speed", "Trials"):
        assert f"<h2>{title}</h2>" in text
    assert "<script" not in text
    again = train(RunConfig.load(done.folder / "best.toml"), tmp_path / "again", report=False)
    assert again.model.theta.tobytes() == load(done.folder_of(best) / "model.safetensors").theta.tobytes()


def test_the_smallest_is_within_half_a_point_and_the_front_rises(done):
    found = Findings(done)
    best = max(trial.value for trial in found.ranked)
    assert found.smallest.value >= best - 0.005
    front = found.front("parameters")
    assert [t.value for t in front] == sorted({t.value for t in front})
    assert [t.user_attrs["parameters"] for t in front] == sorted(t.user_attrs["parameters"] for t in front)


def test_a_finished_search_does_nothing_more(done):
    before = len(done.study.trials())
    assert search(done.folder).run()
    assert len(done.study.trials()) == before


class Kill(Callback):
    """Ends the process in the third epoch of the third run, as it were."""

    count = 0

    def on_epoch_begin(self, state):
        if state.progress.epoch == 0:
            Kill.count += 1

    def on_step_end(self, state):
        if Kill.count == 3 and state.progress.epoch == 2:
            Kill.count += 1
            raise Killed


def test_a_killed_trial_goes_on_exactly(done, tmp_path):
    place = tmp_path / "killed"
    with pytest.raises(Killed):
        search(place, lambda: [Kill()], max_parameters=None).run()
    left = [trial for trial in search(place, max_parameters=None).study.trials() if trial.state.name == "RUNNING"]
    assert len(left) == 1
    again = search(place, max_parameters=None)
    assert again.run()
    trials = again.study.trials()
    assert len(trials) == 8
    assert all(trial.state.is_finished() for trial in trials)
    taken_over = trials[left[0].number]
    if taken_over.state.name == "COMPLETE":
        folder = again.folder_of(taken_over)
        whole = train(RunConfig.load(folder / "config.toml"), tmp_path / "whole", report=False)
        assert whole.model.theta.tobytes() == load(folder / "model.safetensors").theta.tobytes()


def test_a_trial_that_another_process_runs_is_left_alone(tmp_path):
    first, second = search(tmp_path / "s"), search(tmp_path / "s")
    with first.study.next_trial(8, {}, False) as one, second.study.next_trial(8, {}, False) as two:
        assert one.number != two.number
    with second.study.next_trial(8, {}, False) as three:
        assert three.number == min(one.number, two.number)


def test_the_last_process_to_end_knows_that_all_has_ended(done, tmp_path):
    folder = tmp_path / "s"
    shutil.copytree(done.folder, folder)
    (place,) = (folder / "final").iterdir()
    shutil.rmtree(place)
    other = search(folder)
    with other.study.hold(place.name):
        assert not search(folder).run()
    assert other.run()
    assert place.is_dir()


def test_a_seed_that_diverges_does_not_end_the_search(done, tmp_path, monkeypatch):
    folder = tmp_path / "s"
    shutil.copytree(done.folder, folder)
    (place,) = (folder / "final").iterdir()
    shutil.rmtree(place)

    def diverge(config, where, **more):
        training = config.training.changed(learning_rate=1e30, optimizer="sgd")
        return train(config.changed(training=training), where, **more)

    monkeypatch.setattr("striate.search.search.train", diverge)
    again, said = search(folder), []
    again.say = said.append
    assert again.run()
    assert said == [f"{place.name}: training with another seed", f"{place.name}: diverged"]
    assert len(again.scores(Findings(again).ranked[0])) == 1
    assert search(folder).run()


def test_processes_do_not_try_the_same_values(tmp_path):
    values = []
    for name in ("a", "b"):  # the same search twice, by two processes that take turns
        both = search(tmp_path / name), search(tmp_path / name)
        for found in both * 3:
            with found.study.next_trial(8, {}, False) as trial:
                values.append(RANGES[1].suggest(trial))
                found.study.study.tell(trial, 0.5)
    assert len(set(values)) == 6
    assert values[:6] == values[6:]


def test_time_is_over(tmp_path):
    found = search(tmp_path / "s", hours=1e-9, trials=5)
    found.run()
    assert len([trial for trial in found.study.trials() if "misfit" not in trial.user_attrs]) <= 1


def test_another_search_and_a_damaged_journal(done, tmp_path):
    with pytest.raises(UsageError, match=r"holds another search; it differs in training.epochs\. Use"):
        Search(done.folder, config(epochs=4), SearchSettings(ranges=RANGES))
    with pytest.raises(UsageError, match="it differs in ranges"):
        Search(done.folder, config(), SearchSettings())
    whole = (done.folder / "journal.log").read_text()
    for number, text in enumerate(('{"op_code": 0}\nno json\n{"op_code": 77}\n', whole + "7}\n{}\n",
                                   re.sub(r'"mark":\{[^\n]*\n', '"mark":7}}\n', whole))):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "journal.log").write_text(text)
        with pytest.raises(DataError, match=r"journal\.log: cannot be read as the journal of a search"):
            search(folder)
    (folder / "journal.log").write_text(re.sub(r'"mark":\{[^\n]*\n', '"mark":[[1,2],["x",3]]}}\n', whole))
    with pytest.raises(UsageError, match=r"holds another search; it differs in 1, .*data"):
        search(folder)


@pytest.mark.parametrize("part", [1, 40])
def test_an_entry_that_was_not_finished_is_removed(done, tmp_path, part):
    shutil.copytree(done.folder, tmp_path / "s")
    journal = tmp_path / "s" / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-part])
    study = Study(tmp_path / "s", done.study.study.user_attrs["mark"], 0, True)
    study.study.set_user_attr("more", 1)
    kept = whole[: whole[:-1].rindex(b"\n") + 1]
    assert journal.read_bytes().startswith(kept)
    assert all(json.loads(line) for line in journal.read_bytes().splitlines())
    assert study.trials()


def test_without_validation_or_optuna(tmp_path, monkeypatch):
    bare = RunConfig(data=DataConfig(name="digits", validation_fraction=0))
    with pytest.raises(UsageError, match="search: needs validation samples"):
        Search(tmp_path, bare, SearchSettings())
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"search: needs Optuna. Install it with: pip install 'striate\[search\]'"):
        Search(tmp_path, config(), SearchSettings())


def test_numbers_are_searched_for_the_least_loss(tmp_path):
    import numpy as np

    x = np.random.default_rng(0).normal(size=(120, 3))
    np.savez(tmp_path / "d.npz", x=x, y=x @ [1.0, 2.0, 3.0])
    run = RunConfig(
        data=DataConfig(name=str(tmp_path / "d.npz")), model=ModelConfig(name="mlp"), training={"epochs": 2}
    )
    ranges = (parse_range("hidden=2,8"),)
    found = Search(tmp_path / "s", run, SearchSettings(trials=3, ranges=ranges, best=1, seeds=1))
    assert found.run()
    findings = Findings(found)
    write_search_report(findings)
    assert not found.maximise
    assert findings.smallest is None
    assert findings.ranked[0].value == min(trial.value for trial in found.study.completed())


def test_the_command(tmp_path):
    from typer.testing import CliRunner

    from striate.cli.app import app

    words = ["search", "digits", "--model", "mlp", "--epochs", "1", "--trials", "2", "--best", "1", "--seeds", "1"]
    words += ["--range", "hidden=4,8", "--out", str(tmp_path / "s"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["ended"]
    assert found["trials"] == 2
    assert found["command"].startswith("striate train --config ")
    refused = CliRunner().invoke(app, [*words[:-1], "--range", "hiden=4,8"])
    assert refused.exit_code == 2
    assert "did you mean 'hidden'" in refused.stderr


def test_why_no_trial_has_finished_is_said(tmp_path):
    from typer.testing import CliRunner

    from striate.cli.app import app

    def refusal(name, *more):
        words = ["search", "digits", "--model", "mlp", "--epochs", "1", "--trials", "2"]
        result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / name), *more])
        assert result.exit_code == 1
        return result.stderr

    limited = refusal("small", "--range", "hidden=4,8", "--max-parameters", "10")
    assert re.search(r"no trial has finished: 40 did not fit \(the last: \d+ parameters\)\. Use other", limited)
    diverged = refusal("wild", "--range", "learning_rate=1e25:1e30", "--optimizer", "sgd")
    assert "no trial has finished: 2 diverged. Use other ranges or higher limits." in diverged


def test_a_process_that_was_killed_while_it_wrote_holds_up_nobody(tmp_path):
    from striate.search.journal import backend

    journal, old = tmp_path / "journal.log", tmp_path / "journal.log.lock"
    shared = backend(journal)
    old.symlink_to(journal)  # as earlier versions left it
    process = os.fork()
    if process == 0:
        with locked(journal):
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    with locked(journal):  # does not wait
        pass
    shared.append_logs([{"op_code": 0}])
    assert old.is_symlink()
    assert list(shared.read_logs(0)) == [{"op_code": 0}]


def test_entries_wait_for_whoever_writes(tmp_path):
    from striate.search.journal import backend

    shared, ready = backend(tmp_path / "journal.log"), os.pipe()
    process = os.fork()
    if process == 0:
        with locked(tmp_path / "journal.log"):
            os.write(ready[1], b"1")
            time.sleep(0.1)
            (tmp_path / "journal.log").write_bytes(b'{"op_code":1}\n')
        os._exit(0)
    os.read(ready[0], 1)
    shared.append_logs([{"op_code": 2}])
    os.waitpid(process, 0)
    assert list(shared.read_logs(0)) == [{"op_code": 1}, {"op_code": 2}]


def test_a_journal_that_is_read_in_part_is_closed(tmp_path):
    from striate.search.journal import backend

    shared = backend(tmp_path / "journal.log")
    shared.append_logs([{"op_code": 0}, {"op_code": 1}])
    entries = shared.read_logs(0)
    shared.append_logs([{"op_code": 2}])  # not seen by whoever began to read before
    assert [entry["op_code"] for entry in entries] == [0, 1]
