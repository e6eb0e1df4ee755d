"""Folders of frames, animations and videos become clips of one shape."""

import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from striate.data.clips import ClipReader, look_like_clips, scan_clip, spread
from striate.data.options import Options
from striate.data.problems import FileProblem
from striate.data.registry import load
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError


def frame(level, size=(20, 24)):
    return Image.fromarray(np.full(size, level, np.uint8))


def make_clip(folder, start, frames=12, digits=1):
    folder.mkdir(parents=True)
    for number in range(frames):
        frame(start + 10 * number).save(folder / f"frame{number:0{digits}}.png")


@pytest.fixture
def clips(tmp_path):
    for kind, start in (("dark", 0), ("light", 100)):
        for number in range(6):
            make_clip(tmp_path / "clips" / kind / f"clip{number}", start + number)
    return tmp_path / "clips"


def test_frames_are_read_in_the_order_of_their_numbers_and_spread_evenly(clips):
    clip = ClipReader(1, 4, (20, 24)).read(clips / "dark" / "clip3")
    assert clip.shape == (1, 4, 20, 24)
    assert clip[0, :, 0, 0].tolist() == [3 + 10 * number for number in (0, 4, 7, 11)]  # frame10 comes after frame9


def test_a_folder_of_clips_is_a_data_set_with_a_sample_for_each_clip(clips):
    splits = load(clips)
    assert splits.train.sample_shape == (1, 12, 20, 24)
    assert sum(len(part) for part in (splits.train, splits.validation, splits.test)) == 12
    assert splits.train.classes == ("dark", "light")
    assert (splits.train.inputs[:, 0, 0, 0, 0] >= 100).tolist() == (splits.train.targets == 1).tolist()


def test_photographs_in_folders_of_days_stay_photographs(tmp_path):
    for kind in ("cat", "dog"):
        for day in ("monday", "tuesday", "friday", "sunday"):
            (tmp_path / kind / day).mkdir(parents=True)
            for number in range(5):
                frame(9).save(tmp_path / kind / day / f"{kind}{day}{number}.png")
    assert load(tmp_path).train.sample_shape == (1, 20, 24)
    assert load(tmp_path, options=Options(frames=3)).train.sample_shape == (1, 3, 20, 24)
    assert not look_like_clips([tmp_path / "cat", tmp_path / "dog"], sorted(tmp_path.rglob("*.png")))


def test_animations_beside_folders_of_frames_are_clips(tmp_path):
    for kind in ("cat", "dog"):
        for number in range(4):
            shots = [frame(20 * number + 9 * place) for place in range(5)]
            if number % 2:
                (tmp_path / kind / f"clip{number}").mkdir(parents=True)
                for place, shot in enumerate(shots):
                    shot.save(tmp_path / kind / f"clip{number}" / f"img_{place}.png")
            else:
                (tmp_path / kind).mkdir(exist_ok=True)
                shots[0].save(tmp_path / kind / f"{number}.gif", save_all=True, append_images=shots[1:])
    options = Options(test_fraction=0)
    assert len(load(tmp_path, options=options, validation_fraction=0).train) == 8
    for folder in (tmp_path / "cat", tmp_path / "dog"):
        for number in (1, 3):
            shutil.rmtree(folder / f"clip{number}")
    assert load(tmp_path, options=options, validation_fraction=0).train.sample_shape == (3, 5, 20, 24)


def test_animations_are_clips_where_frames_are_asked_for(tmp_path):
    for kind, step in (("slow", 5), ("fast", 20)):
        (tmp_path / kind).mkdir()
        for number in range(6):
            first, *others = [frame(step * place) for place in range(8)]
            path = tmp_path / kind / f"{number}.gif"
            first.save(path, save_all=True, append_images=others)
    splits = load(tmp_path, options=Options(frames=3, channels=1))
    assert splits.train.sample_shape == (1, 3, 20, 24)
    fast = splits.train.inputs[splits.train.targets == 0]
    np.testing.assert_array_equal(fast[0, 0, :, 0, 0], [0, 80, 140])


def test_new_clips_are_found_at_any_depth(clips):
    one = read_unlabelled(clips / "dark" / "clip0", (1, 12, 20, 24))
    assert one.inputs.shape == (1, 1, 12, 20, 24)
    assert len(read_unlabelled(clips, (1, 12, 20, 24)).names) == 12


def test_a_video_gives_its_frames(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 24, 16, "yuvj420p"
        for number in range(9):
            picture = av.VideoFrame.from_image(frame(20 * number, (16, 24)).convert("RGB"))
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    assert scan_clip(path).size == (16, 24)
    levels = ClipReader(1, 3, (16, 24)).read(path)[0, :, 8, 12].astype(int)
    np.testing.assert_allclose(levels, [0, 80, 160], atol=8)  # JPEG and colours of television round


def test_damaged_clips_are_problems_of_their_files(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(FileProblem, match="it holds no frames"):
        scan_clip(tmp_path / "empty")
    with pytest.raises((FileProblem, DataError), match=r"damaged or unsupported video|videos are read by PyAV"):
        scan_clip(tmp_path / "bad.mp4")
    with pytest.raises(DataError, match="video"):
        read_unlabelled(tmp_path, (1, 4, 8, 8))


def test_videos_without_their_decoder_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            (tmp_path / kind / f"{number}.mp4").write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"mp4: videos are read by PyAV, which is not installed\. pip install 'striate"
    ):
        load(tmp_path)


def test_a_damaged_frame_is_named(clips):
    (clips / "dark" / "clip3" / "frame4.png").write_bytes(b"x")
    with pytest.raises(FileProblem, match=r"^frame4\.png: not a supported image format"):
        ClipReader(1, 4, (20, 24)).read(clips / "dark" / "clip3")


@pytest.mark.parametrize(("count", "wanted", "places"), [(1, 3, [0, 0, 0]), (0, 2, []), (5, 5, [0, 1, 2, 3, 4])])
def test_short_clips_repeat_frames(count, wanted, places):
    assert spread(count, wanted) == places


def test_the_first_animation_may_be_damaged(tmp_path):
    for number in range(6):
        path = tmp_path / "ab"[number % 2] / f"{number}.gif"
        path.parent.mkdir(exist_ok=True)
        frames = [Image.new("L", (8, 8), 40 * number + step) for step in range(4)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    (tmp_path / "a" / "0.gif").write_bytes(b"GIF89a")
    found = load(tmp_path, options=Options(test_fraction=0), validation_fraction=0)
    assert found.train.sample_shape == (3, 4, 8, 8)
    assert len(found.train) == 5


def test_an_animation_that_is_postscript_starts_no_program(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.check_call", lambda *words, **more: pytest.fail("a program is started"))
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "a.gif").write_bytes(text)
    with pytest.raises(FileProblem, match="not a supported image format"):
        scan_clip(tmp_path / "a.gif")
    with pytest.raises(FileProblem, match="not a supported image format"):
        ClipReader(1, 4, (8, 8)).read(tmp_path / "a.gif")
