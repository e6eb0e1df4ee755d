from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile

from striate.data.images import read_image
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError

from .tables.test_loading import kaggle
from .test_audio import tone
from .test_folders import make, picture
from .test_idx import encode


def test_an_image_of_any_size(tmp_path):
    picture(0, 20).save(tmp_path / "a.jpg")
    found = read_unlabelled(tmp_path / "a.jpg", (1, 8, 8), invert=True)
    assert np.array_equal(found.inputs[0], read_image(tmp_path / "a.jpg", 1, (8, 8), invert=True))
    assert found.names == [str(tmp_path / "a.jpg")]


def test_an_array_of_one_sample(tmp_path):
    sample = np.random.default_rng(0).integers(0, 256, (3, 6, 8), np.uint8)
    for name, array in (("first", sample), ("last", np.moveaxis(sample, 0, -1))):
        np.save(tmp_path / f"{name}.npy", array)
        assert np.array_equal(read_unlabelled(tmp_path / f"{name}.npy", (3, 6, 8)).inputs, sample[np.newaxis])


@pytest.mark.parametrize("shape", [(1, 6, 8), (1, 3, 6, 8)])
def test_an_array_of_one_sample_without_the_axis_of_its_channel(tmp_path, shape):
    sample = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.save(tmp_path / "a.npy", sample[0])
    assert np.array_equal(read_unlabelled(tmp_path / "a.npy", shape).inputs, sample[np.newaxis])


def test_a_folder_with_damaged_files_in_it(tmp_path):
    make(tmp_path, {"some": 3, "more": 2})
    (tmp_path / "more" / "bad.png").write_bytes(b"")
    (tmp_path / "more" / "note.txt").write_text("note")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    found = read_unlabelled(tmp_path, (3, 8, 8))
    assert found.inputs.shape == (5, 3, 8, 8)
    assert len(found.names) == 5
    assert {file.path.rpartition("/")[2] for file in found.bad_files} == {"bad.png", "gone.png"}


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_the_digit_recogniser_table_with_and_without_labels(tmp_path, labelled, named):
    text, pixels, _ = kaggle(7, labelled=labelled)
    (tmp_path / "test.csv").write_text(text if named else text.partition("\n")[2])
    found = read_unlabelled(tmp_path / "test.csv", (1, 28, 28))
    assert np.array_equal(found.inputs, pixels.reshape(7, 1, 28, 28))
    assert found.names == [str(number) for number in range(1, 8)]


def test_arrays_and_idx(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "a.npz", x_test=x)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(encode(x))
    for name in ("a.npy", "a.npz", "t10k-images-idx3-ubyte"):
        assert np.array_equal(read_unlabelled(tmp_path / name, (1, 5, 6)).inputs, x[:, np.newaxis])


def test_recordings(tmp_path):
    wavfile.write(tmp_path / "a.wav", 16000, tone(rate=16000).astype(np.float32))
    assert read_unlabelled(tmp_path / "a.wav", (1, 900)).inputs[0, 0, 799] != 0
    assert read_unlabelled(tmp_path / "a.wav", (1, 900), rate=8000).inputs[0, 0, 401:].max() == 0


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("absent.png", (1, 8, 8), "absent.png: no such file or folder"),
        ("bad.png", (1, 8, 8), "bad.png: the file is empty"),
        ("empty", (1, 8, 8), "empty: it holds no files of a supported format"),
        ("good.png", (5, 8, 8), "shape 5 x 8 x 8, which no image has"),
        ("good.png", (1, 4, 8, 8), "good.png: a single picture is not a clip; give a folder of frames"),
        ("good.png", (2, 4, 8, 8), "shape 2 x 4 x 8 x 8, which no image has"),
        ("a.npy", (1, 8, 8), "a sample of shape 1 x 8 x 8 needs 64 numbers; got 9"),
        ("a.npz", (1, 8, 8), "needs an array x; got stuff"),
    ],
)
def test_nothing_to_predict_on(tmp_path, name, shape, message):
    (tmp_path / "bad.png").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    picture(0).save(tmp_path / "good.png")
    np.save(tmp_path / "a.npy", np.zeros((2, 9)))
    np.savez(tmp_path / "a.npz", stuff=np.zeros((2, 9)))
    with pytest.raises(DataError, match=message):
        read_unlabelled(tmp_path / name, shape)


def test_a_named_column_too_many_is_not_guessed(tmp_path):
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,ash,kind\n14.2,2.4,0\n13.1,2.3,1\n")
    with pytest.raises(DataError, match="takes 2 numbers, but there are 3 columns of them, up to 'kind'"):
        read_unlabelled(path, (2,))
    assert read_unlabelled(path, (3,)).inputs.shape == (2, 3)


def test_a_model_of_tables_takes_no_pictures(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"picture")
    with pytest.raises(DataError, match=r"a.jpg: not a table; the model was trained on one"):
        read_unlabelled(tmp_path / "a.jpg", (3, 1), table={})
