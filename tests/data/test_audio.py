from __future__ import annotations

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from striate.data.audio import RecordingHeader, RecordingReader, decode_recording
from striate.data.folders import class_folders
from striate.data.options import Options
from striate.data.problems import FileProblem
from striate.errors import UsageError


def tone(seconds: float = 0.05, rate: int = 8000, frequency: float = 440) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize(
    ("stored", "step"),
    [
        (lambda wave: (wave * 127 + 128).astype(np.uint8), 2 / 127),
        (lambda wave: (wave * 32767).astype(np.int16), 1e-4),
        (lambda wave: (wave * 2147483647).astype(np.int32), 1e-6),
        (lambda wave: wave.astype(np.float32), 1e-7),
        (lambda wave: wave, 1e-7),
    ],
)
def test_every_sample_type_is_scaled_to_1(tmp_path, stored, step):
    wavfile.write(tmp_path / "a.wav", 8000, stored(tone()))
    rate, samples = decode_recording(tmp_path / "a.wav")
    assert rate == 8000
    assert samples.dtype == np.float32
    assert samples.shape == (1, 400)
    assert np.abs(samples[0] - tone()).max() <= step


@pytest.mark.parametrize("ending", ["flac", "mp3", "ogg", "aiff"])
def test_other_formats(tmp_path, ending):
    soundfile.write(tmp_path / f"a.{ending}", tone(0.2), 8000)
    rate, samples = decode_recording(tmp_path / f"a.{ending}")
    assert rate == 8000
    assert np.abs(samples[0, 400:1200] - tone(0.2)[400:1200]).max() < 0.05


def test_a_file_of_unknown_length_as_programs_write_it_to_pipes(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, tone().astype(np.float32))
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:4] + b"\xff\xff\xff\xff" + content[8:])
    assert decode_recording(tmp_path / "a.wav")[1].shape == (1, 400)


def test_channels_come_first_and_are_mixed_when_one_is_asked(tmp_path):
    stereo = np.stack([tone(), -0.5 * tone()], axis=1).astype(np.float32)
    wavfile.write(tmp_path / "a.wav", 8000, stereo)
    assert decode_recording(tmp_path / "a.wav")[1].shape == (2, 400)
    mixed = RecordingReader(8000, 1, 400).read(tmp_path / "a.wav")
    assert np.allclose(mixed[0], 0.25 * tone(), atol=1e-6)


def test_a_file_that_claims_an_absurd_rate_is_left_out_and_does_not_stretch_the_others():
    headers = [RecordingHeader(16_000, 1, 16_000)] * 5 + [RecordingHeader(1, 1, 400)]
    assert RecordingReader.for_headers(headers, None, None).shape == (1, 16_000)


def test_length_and_rate_are_brought_to_one(tmp_path):
    wavfile.write(tmp_path / "a.wav", 16000, tone(rate=16000).astype(np.float32))
    resampled = RecordingReader(8000, 1, 500).read(tmp_path / "a.wav")
    assert resampled.shape == (1, 500)
    assert np.abs(resampled[0, 50:350] - tone()[50:350]).max() < 0.01
    assert (resampled[0, 400:] == 0).all()
    assert RecordingReader(16000, 1, 10).read(tmp_path / "a.wav").shape == (1, 10)


def test_what_most_recordings_have_is_taken():
    headers = [RecordingHeader(8000, 1, 100), RecordingHeader(8000, 1, 120), RecordingHeader(16000, 1, 400)]
    assert RecordingReader.for_headers(headers, None, None) == RecordingReader(8000, 1, 200)
    assert RecordingReader.for_headers([RecordingHeader(8000, 2, 9)], None, 7) == RecordingReader(8000, 2, 7)
    assert (
        RecordingReader.for_headers([RecordingHeader(8000, 2, 9), RecordingHeader(8000, 1, 9)], None, None).channels
        == 1
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "the file is empty"),
        (lambda content: content[:20], "damaged, or not a recording .*Malformed"),
        (lambda content: content[:-100], "truncated: 100 bytes are missing at its end"),
        (lambda content: b"RIFX" + content[4:], "damaged, or not a recording"),
        (lambda content: b"hello" * 20, "damaged, or not a recording .Format not recognised"),
        (lambda content: content[:44], "damaged, or not a recording"),
    ],
)
def test_damaged_files(tmp_path, damage, message):
    wavfile.write(tmp_path / "a.wav", 8000, tone().astype(np.float32))
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(damage(content))
    with pytest.raises(FileProblem, match=message):
        decode_recording(tmp_path / "a.wav")


def test_no_samples_and_samples_that_are_not_finite(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.zeros(0, np.int16))
    with pytest.raises(FileProblem, match=r"holds no samples|damaged"):
        decode_recording(tmp_path / "a.wav")
    wavfile.write(tmp_path / "a.wav", 8000, np.full(9, np.nan, np.float32))
    with pytest.raises(FileProblem, match="not finite"):
        decode_recording(tmp_path / "a.wav")
    with pytest.raises(FileProblem, match=r"cannot be read .No such file"):
        decode_recording(tmp_path / "absent.wav")


def test_folders_of_recordings(tmp_path):
    for label, frequency in {"low": 200, "high": 900}.items():
        (tmp_path / label).mkdir()
        for number in range(10):
            wave = tone(0.01 + 0.001 * number, frequency=frequency)
            wavfile.write(tmp_path / label / f"{number}.wav", 8000, (wave * 32767).astype(np.int16))
    (tmp_path / "low" / "bad.wav").write_bytes(b"RIFF")
    (tmp_path / "low" / "notes.txt").write_text("recorded in the garden")
    splits = class_folders(tmp_path, Options(size=(100,)))
    assert splits.train.sample_shape == (1, 100)
    assert splits.train.inputs.dtype == np.float32
    assert splits.train.classes == ("high", "low")
    assert [file.path for file in splits.bad_files] == [str(tmp_path / "low" / "bad.wav")]
    assert splits.preparation == {"rate": 8000}
    assert class_folders(tmp_path).train.sample_shape == (1, 152)


@pytest.mark.parametrize(("ending", "what"), [("wav", "recordings"), ("csv", "series"), ("txt", "texts")])
def test_samples_with_one_axis_have_one_length(tmp_path, ending, what):
    for name in ("a", "b"):
        for number in range(3):
            path = tmp_path / name / f"{number}.{ending}"
            path.parent.mkdir(exist_ok=True)
            if ending == "wav":
                wavfile.write(path, 8000, tone().astype(np.float32))
            else:
                path.write_text("u,v\n1,2\n3,4\n" if ending == "csv" else "some words")
    with pytest.raises(UsageError, match=rf"size: {what} have one length, such as 1000; got 64x64\. Give one"):
        class_folders(tmp_path, Options(size=(64, 64)))
