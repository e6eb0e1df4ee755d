from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import folders, pixel_cache
from striate.data.folders import class_folders
from striate.data.options import Options
from striate.data.streaming import StoredStream, cache
from striate.data.walk import find_splits
from striate.errors import DataError
from support.pictures import bomb

CLASSES = ("ape", "bee", "cat")


def picture(number: int, side: int = 8, mode: str = "RGB") -> Image.Image:
    """A picture no other number has."""
    noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
    return Image.fromarray(noise).convert(mode)


def make(root: Path, counts: dict[str, int], first: int = 0, **options) -> Path:
    """Write so many pictures per class."""
    for label, count in counts.items():
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture(first + number, **options).save(root / label / f"{first + number:04}.png")
        first += count
    return root


@pytest.fixture
def photos(tmp_path) -> Path:
    return make(tmp_path / "photos", dict.fromkeys(CLASSES, 20))


def names(dataset) -> set[str]:
    return {Path(file).name for file in dataset.files}


class TestParts:
    def test_one_folder_per_class_is_split_in_three(self, photos):
        splits = class_folders(photos, seed=1)
        parts = (splits.train, splits.validation, splits.test)
        assert [len(part) for part in parts] == [43, 5, 12]
        assert splits.train.classes == CLASSES
        assert splits.train.sample_shape == (3, 8, 8)
        assert splits.bad_files == ()
        assert not set.intersection(*map(names, parts))
        assert len(set.union(*map(names, parts))) == 60

    def test_every_sample_is_its_file(self, photos):
        splits = class_folders(photos)
        for part in (splits.train, splits.validation, splits.test):
            for file, sample, target in zip(part.files, part.inputs, part.targets, strict=True):
                assert Path(file).parent.name == CLASSES[target]
                assert np.array_equal(sample, np.asarray(Image.open(file)).transpose(2, 0, 1))

    def test_seed_moves_validation_and_never_the_test_part(self, photos):
        first, again, other = (class_folders(photos, seed=seed) for seed in (0, 0, 1))
        assert names(first.validation) == names(again.validation) != names(other.validation)
        assert names(first.test) == names(other.test)

    @pytest.mark.parametrize("words", [("train", "val", "test"), ("Training", "validation", "Testing")])
    def test_parts_of_its_own(self, tmp_path, words):
        for number, word in enumerate(words):
            make(tmp_path / word, {"ape": 6, "bee": 4}, first=100 * number)
        splits = class_folders(tmp_path)
        assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [10, 10, 10]
        assert min(names(splits.test)) == "0200.png"

    def test_only_a_train_folder_and_no_validation(self, tmp_path):
        make(tmp_path / "train", {"ape": 10, "bee": 10})
        splits = class_folders(tmp_path, validation_fraction=0)
        assert splits.validation is None
        assert (len(splits.train), len(splits.test)) == (16, 4)

    def test_train_and_validation_given_leave_no_test_part(self, tmp_path):
        make(tmp_path / "train", {"ape": 4, "bee": 4})
        make(tmp_path / "valid", {"ape": 4, "bee": 4}, first=50)
        assert class_folders(tmp_path).test is None

    def test_folders_around_the_folder_and_folders_inside_a_class(self, tmp_path):
        make(tmp_path / "archive" / "2750", {"ape": 4, "bee": 4})
        make(tmp_path / "archive" / "2750" / "ape", {"deep": 4}, first=50)
        splits = class_folders(tmp_path, Options(test_fraction=0), validation_fraction=0)
        assert np.bincount(splits.train.targets).tolist() == [8, 4]

    def test_groups_stay_together(self, tmp_path):
        for label in ("ape", "bee"):
            (tmp_path / label).mkdir()
            for site in range(10):
                for shot in range(4):
                    number = 100 * site + shot + (label == "bee") * 5000
                    picture(number).save(tmp_path / label / f"{site}_{shot}.png")
        splits = class_folders(tmp_path, Options(group="^[^_]+"))
        sites = [
            {name.split("_")[0] for name in names(part)} for part in (splits.train, splits.validation, splits.test)
        ]
        assert not sites[0] & sites[1]
        assert not sites[0] & sites[2]
        assert not sites[1] & sites[2]
        with pytest.raises(DataError, match="the group pattern 'x' matches nothing"):
            class_folders(tmp_path, Options(group="x"))

    def test_a_first_group_of_the_pattern_is_the_group(self, photos):
        for file in photos.rglob("*.png"):
            number = int(file.stem)
            file.rename(file.with_name(f"shot{number}-site{number % 5}.png"))
        splits = class_folders(photos, Options(group=r"site(\d+)"))
        assert (
            len(np.unique(np.concatenate([splits.train.groups, splits.test.groups, splits.validation.groups]))) == 5
        )

    def test_the_real_thing(self, shared_data):
        splits = class_folders(shared_data / "pavement", Options(group="^[^_]+"))
        assert len(splits.train) + len(splits.validation) == 2613
        assert len(splits.test) == 660
        assert splits.test.classes == ("crack", "sound")
        assert splits.test.sample_shape == (3, 64, 64)
        assert not set(splits.train.groups) & set(splits.validation.groups)


class TestShape:
    def test_grey_where_all_are(self, tmp_path):
        make(tmp_path, {"ape": 3, "bee": 3}, mode="L")
        options = Options(test_fraction=0)
        assert class_folders(tmp_path, options, validation_fraction=0).train.sample_shape == (1, 8, 8)
        picture(99).save(tmp_path / "ape" / "colour.png")
        assert class_folders(tmp_path, options, validation_fraction=0).train.sample_shape == (3, 8, 8)

    def test_sizes_that_differ_or_are_large_become_the_default(self, tmp_path):
        make(tmp_path / "few", {"ape": 3, "bee": 3})
        picture(9, 12).save(tmp_path / "few" / "ape" / "larger.png")
        assert class_folders(tmp_path / "few", Options(test_fraction=0)).train.sample_shape == (3, 128, 128)
        make(tmp_path / "large", {"ape": 3, "bee": 3}, side=257)
        assert class_folders(tmp_path / "large", Options(test_fraction=0)).train.sample_shape == (3, 128, 128)

    def test_one_that_differs_does_not_change_the_size_of_all(self, photos):
        picture(900, 12).save(photos / "ape" / "larger.png")
        splits = class_folders(photos)
        assert splits.train.sample_shape == (3, 8, 8)
        assert sum(map(len, (splits.train, splits.validation, splits.test))) == 61

    def test_size_channels_and_fit_are_obeyed(self, photos):
        splits = class_folders(photos, Options(size=(5, 6), channels=1, fit="crop"))
        assert splits.train.sample_shape == (1, 5, 6)
        assert splits.preparation == {"fit": "crop"}

    def test_progress_is_told(self, photos):
        told = []
        class_folders(photos, Options(progress=lambda done, total: told.append((done, total))))
        assert told[-1] == (60, 60)


class TestDamage:
    def spoil(self, root: Path) -> dict[str, str]:
        """Put every kind of damage among the pictures; return what each file's reason must contain."""
        good = (root / "ape" / "0000.png").read_bytes()
        content = {
            "cut.png": (good[:60], "damaged or unsupported image"),
            "empty.png": (b"", "the file is empty"),
            "note.jpg": (b"just text", "not a supported image format"),
            "huge.png": (bomb(30_000, 30_000), "more than 89,478,485"),
            "nonsense.tif": (os.urandom(400), "not a supported image format"),
            "line\nbreak.png": (b"", "the file is empty"),
        }
        for name, (data, _) in content.items():
            (root / "bee" / name).write_bytes(data)
        (root / "bee" / "loop").symlink_to(root / "bee")
        (root / "bee" / "round.png").symlink_to(root / "bee" / "round.png")
        (root / "bee" / "gone.png").symlink_to(root / "nowhere.png")
        os.mkfifo(root / "bee" / "pipe.png")
        Path(os.fsdecode(bytes(root / "bee") + b"/\xff.png")).write_bytes(b"")
        expected = {name.replace("\n", "\\n"): reason for name, (_, reason) in content.items()}
        expected |= {"loop": "leads back to a folder", "round.png": "leads nowhere", "gone.png": "leads nowhere"}
        return expected | {"pipe.png": "not a regular file", "\\xff.png": "the file is empty"}

    def test_every_bad_file_is_listed_with_its_reason_and_left_out(self, photos):
        expected = self.spoil(photos)
        splits = class_folders(photos)
        got = {Path(file.path).name: file.reason for file in splits.bad_files}
        assert set(got) == set(expected)
        for name, reason in expected.items():
            assert reason in got[name], name
        parts = (splits.train, splits.validation, splits.test)
        assert sum(map(len, parts)) == 60
        for part in parts:
            for file, sample in zip(part.files, part.inputs, strict=True):
                assert np.array_equal(sample, np.asarray(Image.open(file)).transpose(2, 0, 1))

    def test_odd_but_good_files_are_read(self, photos):
        picture(1, mode="CMYK").save(photos / "ape" / "cmyk.jpg")
        Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(photos / "ape" / "deep.png")
        picture(2, mode="P").save(photos / "ape" / "palette.gif")
        picture(3).save(photos / "ape" / "turned.jpg", exif=turned())
        picture(4).save(photos / "ape" / "wrongly named.txt", "PNG")
        assert class_folders(photos, Options(size=(9,))).train.sample_shape[1:] == (9, 9)
        splits = class_folders(photos, Options(size=(8, 8)))
        assert splits.bad_files == ()
        assert sum(map(len, (splits.train, splits.validation, splits.test))) == 65

    def test_hidden_files_checkpoints_and_notes_are_passed_over(self, photos):
        (photos / "ape" / ".ipynb_checkpoints").mkdir()
        picture(1).save(photos / "ape" / ".ipynb_checkpoints" / "0000-checkpoint.png")
        (photos / ".ipynb_checkpoints").mkdir()
        (photos / "__MACOSX").mkdir()
        (photos / "ape" / "._0000.png").write_bytes(b"litter")
        (photos / "ape" / "README.md").write_text("# Apes")
        (photos / "ape" / "0000.json").write_text("{}")
        (photos / "ape" / "Thumbs.db").write_bytes(b"litter")
        (photos / "labels.csv").write_text("a,b")
        splits = class_folders(photos)
        assert splits.bad_files == ()
        assert splits.train.classes == CLASSES
        assert sum(map(len, (splits.train, splits.validation, splits.test))) == 60

    def test_too_large_a_share_is_an_error_before_training(self, photos):
        for file in sorted((photos / "ape").iterdir())[:16]:
            file.write_bytes(b"")
        with pytest.raises(
            DataError, match=r"at most 20% of the files may be unreadable; got 16 of 60; the first is"
        ):
            class_folders(photos)
        assert len(class_folders(photos, Options(max_bad_share=0.3)).bad_files) == 16

    def test_nothing_readable(self, tmp_path):
        for label in ("ape", "bee"):
            (tmp_path / label).mkdir()
        with pytest.raises(DataError, match="its folders hold none"):
            class_folders(tmp_path, Options(test_fraction=0), validation_fraction=0)

    def test_files_of_other_kinds_are_named(self, tmp_path):
        for label in ("ape", "bee"):
            (tmp_path / label).mkdir()
            (tmp_path / label / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
        with pytest.raises(DataError, match=r"got files of other kinds \(.heic\). Convert them"):
            class_folders(tmp_path)

    def test_photographs_have_no_columns(self, photos):
        with pytest.raises(DataError, match=r"images have no columns; got 'id' to leave out\. Leave out --ignore"):
            class_folders(photos, Options(ignore=("id",)))

    def test_what_is_passed_over_is_said(self, photos):
        label = next(photos.iterdir())
        (label / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
        assert class_folders(photos).notes == (
            "not read, because they are not images of a supported format: 1 .heic",
        )

    def test_images_are_not_read_in_the_length_of_a_series(self, photos):
        with pytest.raises(DataError, match="samples with 2 axes, channels included; images have 3"):
            class_folders(photos, Options(axes=2, size=(21383,)))

    def test_arrays_belong_into_one_file(self, tmp_path):
        for label in ("ape", "bee"):
            (tmp_path / label).mkdir()
            np.save(tmp_path / label / "0.npy", np.zeros((4, 4)))
        with pytest.raises(DataError, match=r"got 2 \.npy files\. Stack their arrays"):
            class_folders(tmp_path, Options(test_fraction=0), validation_fraction=0)

    def test_a_class_without_a_readable_file(self, tmp_path):
        make(tmp_path / "train", {"ape": 40, "bee": 2})
        make(tmp_path / "test", {"ape": 4, "bee": 4}, first=90)
        for file in (tmp_path / "train" / "bee").iterdir():
            file.write_bytes(b"")
        with pytest.raises(DataError, match="class 'bee' has none"):
            class_folders(tmp_path, validation_fraction=0)

    def test_a_class_with_one_file(self, photos):
        make(photos, {"dog": 1}, first=900)
        with pytest.raises(DataError, match=r"photos: every class needs at least 2 samples.*class 'dog' has 1"):
            class_folders(photos)

    def test_no_classes_and_unknown_classes(self, tmp_path):
        picture(0).save(tmp_path / "lonely.png")
        with pytest.raises(DataError, match="at least 2 folders, one for each class, are needed; got 0"):
            class_folders(tmp_path)
        make(tmp_path / "train", {"ape": 2, "bee": 2})
        make(tmp_path / "test", {"ape": 2, "eel": 2})
        with pytest.raises(
            DataError, match=r"class 'eel' is not among the classes of the training split .ape, bee"
        ):
            class_folders(tmp_path)

    def test_one_class_is_counted(self, tmp_path):
        with pytest.raises(DataError, match="are needed; got 1"):
            class_folders(make(tmp_path / "one", {"ape": 4}))

    def test_runs_beside_the_classes_are_no_class(self, photos):
        (photos / "runs" / "first").mkdir(parents=True)
        (photos / "runs" / "first" / "config.toml").write_text("")
        assert class_folders(photos).train.classes == CLASSES

    def test_a_link_to_the_folder_of_all_classes_is_not_followed(self, photos):
        (photos / "ape" / "all").symlink_to(photos)
        splits = class_folders(photos)
        assert [Path(bad.path).name for bad in splits.bad_files] == ["all"]
        assert sum(map(len, (splits.train, splits.validation, splits.test))) == 60

    def test_a_missing_folder(self, tmp_path):
        with pytest.raises(DataError, match=r"absent: cannot be read .No such file"):
            class_folders(tmp_path / "absent")

    def test_folders_that_contain_themselves_end(self, tmp_path):
        (tmp_path / "a").symlink_to(tmp_path)
        find_splits(tmp_path)
        with pytest.raises(DataError, match="are needed; got 1"):
            class_folders(tmp_path)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


class TestTooLargeForMemory:
    @pytest.fixture(autouse=True)
    def little_memory(self, monkeypatch, tmp_path):
        monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 1000)

    def rows(self, tmp_path) -> list[Path]:
        return list((tmp_path / "cache").rglob("*.rows"))

    def same(self, first, second) -> None:
        assert first.bad_files == second.bad_files
        for name in ("train", "validation", "test"):
            one, two = getattr(first, name), getattr(second, name)
            assert np.array_equal(one.inputs, two.inputs)
            assert np.array_equal(one.targets, two.targets)
            assert np.array_equal(one.files, two.files)

    def test_samples_are_streamed_from_the_cache_and_used_again(self, photos, tmp_path, monkeypatch):
        TestDamage().spoil(photos)
        first = class_folders(photos)
        assert len(self.rows(tmp_path)) == 1
        assert isinstance(first.train.inputs, StoredStream)
        monkeypatch.setattr(folders, "decode_files", None)
        self.same(first, class_folders(photos))
        monkeypatch.undo()
        self.same(first, class_folders(photos))  # in memory now

    def test_a_changed_file_or_seed_makes_a_new_cache_in_place_of_the_old(self, photos, tmp_path):
        class_folders(photos)
        before = self.rows(tmp_path)
        picture(777).save(photos / "ape" / "0000.png")
        class_folders(photos)
        changed = self.rows(tmp_path)
        assert changed != before
        os.utime(photos / "bee" / "0020.png", ns=(0, 0))  # another file of the same length
        class_folders(photos)
        assert self.rows(tmp_path) != changed
        class_folders(photos, seed=3)
        assert len(self.rows(tmp_path)) == 1
        assert self.rows(tmp_path) != before

    def test_a_damaged_cache_is_made_anew(self, photos, tmp_path):
        first = class_folders(photos)
        rows = self.rows(tmp_path)[0]
        rows.unlink()  # what is mapped stays
        rows.write_bytes(b"short")
        self.same(first, class_folders(photos))
        next((tmp_path / "cache").rglob("*.json")).write_text("{")
        self.same(first, class_folders(photos))

    def test_changed_pixels_are_noticed(self, photos, tmp_path):
        first = class_folders(photos)
        rows = self.rows(tmp_path)[0]
        content = bytearray(rows.read_bytes())
        content[len(content) // 2] ^= 1
        rows.write_bytes(content)
        again = class_folders(photos)
        assert self.rows(tmp_path)[0].read_bytes() != bytes(content)
        picture_of = dict(zip(again.train.files, again.train.inputs, strict=True))
        assert all(
            np.array_equal(np.asarray(Image.open(name)).transpose(2, 0, 1), row) for name, row in picture_of.items()
        )
        assert len(first.train) == len(again.train)

    def test_two_trainings_do_not_disturb_each_other(self, photos, tmp_path, monkeypatch):
        """The second begins while the first is decoding."""
        decode, inner = folders.decode_files, []

        def other_first(*arguments):
            monkeypatch.setattr(folders, "decode_files", decode)
            inner.append(class_folders(photos))
            return decode(*arguments)

        monkeypatch.setattr(folders, "decode_files", other_first)
        self.same(class_folders(photos), inner[0])
        assert not list((tmp_path / "cache").rglob("*.part"))

    @pytest.mark.parametrize("step", ["is_intact", "_stream", "cached_rows"])
    def test_a_cache_that_another_training_removes_is_read_to_its_end(self, photos, tmp_path, monkeypatch, step):
        """The other one takes another seed, just after a step of this one."""
        where = folders if step == "cached_rows" else pixel_cache
        inner = getattr(where, step)

        def other_next(*arguments):
            found = inner(*arguments)
            for path in self.rows(tmp_path):
                cache.remove(path)
            return found

        first = class_folders(photos)
        monkeypatch.setattr(where, step, other_next)
        self.same(first, class_folders(photos))  # from the cache, if it was found before it was removed
        self.same(first, class_folders(photos))

    def test_the_cache_keeps_within_its_limit(self, photos, tmp_path, monkeypatch):
        other = make(tmp_path / "other", dict.fromkeys(CLASSES, 20))
        class_folders(other)
        monkeypatch.setenv("STRIATE_CACHE_GB", str(12_000 / 1e9))
        class_folders(photos)
        assert len(self.rows(tmp_path)) == 1
        monkeypatch.setenv("STRIATE_CACHE_GB", str(11_000 / 1e9))
        with pytest.raises(DataError, match="may take 11,000 bytes; these need 11,520"):
            class_folders(other)

    def test_an_interrupted_run_leaves_nothing_half_done(self, photos, tmp_path, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(folders, "decode_files", interrupted)
        with pytest.raises(KeyboardInterrupt):
            class_folders(photos)
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]

    def test_a_full_disk_is_one_line(self, photos, monkeypatch):
        def full(descriptor, size):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pixel_cache, "_reserve", full)
        with pytest.raises(
            DataError, match=r"60 decoded files need 11,520 bytes.*No space left.*STRIATE_CACHE_DIR"
        ):
            class_folders(photos)
