from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile

from striate.data.audio import WavHeader, WavReader, damage_refused, decode_wav
from striate.data.folders import class_folders
from striate.data.options import Options
from striate.data.problems import FileProblem


def tone(seconds: float = 0.05, rate: int = 8000, frequency: float = 440) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def decode(path):
    with damage_refused():
        return decode_wav(path)


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
    rate, samples = decode(tmp_path / "a.wav")
    assert rate == 8000
    assert samples.dtype == np.float32
    assert samples.shape == (1, 400)
    assert np.abs(samples[0] - tone()).max() <= step


def test_channels_come_first_and_are_mixed_when_one_is_asked(tmp_path):
    stereo = np.stack([tone(), -0.5 * tone()], axis=1).astype(np.float32)
    wavfile.write(tmp_path / "a.wav", 8000, stereo)
    assert decode(tmp_path / "a.wav")[1].shape == (2, 400)
    mixed = WavReader(8000, 1, 400).read(tmp_path / "a.wav")
    assert np.allclose(mixed[0], 0.25 * tone(), atol=1e-6)


def test_a_file_that_claims_an_absurd_rate_is_left_out_and_does_not_stretch_the_others():
    headers = [WavHeader(16_000, 1, 16_000)] * 5 + [WavHeader(1, 1, 400)]
    assert WavReader.for_headers(headers, None, None).shape == (1, 16_000)


def test_length_and_rate_are_brought_to_one(tmp_path):
    wavfile.write(tmp_path / "a.wav", 16000, tone(rate=16000).astype(np.float32))
    resampled = WavReader(8000, 1, 500).read(tmp_path / "a.wav")
    assert resampled.shape == (1, 500)
    assert np.abs(resampled[0, 50:350] - tone()[50:350]).max() < 0.01
    assert (resampled[0, 400:] == 0).all()
    assert WavReader(16000, 1, 10).read(tmp_path / "a.wav").shape == (1, 10)


def test_what_most_recordings_have_is_taken():
    headers = [WavHeader(8000, 1, 100), WavHeader(8000, 1, 120), WavHeader(16000, 1, 400)]
    assert WavReader.for_headers(headers, None, None) == WavReader(8000, 1, 200)
    assert WavReader.for_headers([WavHeader(8000, 2, 9)], None, (7,)) == WavReader(8000, 2, 7)
    assert WavReader.for_headers([WavHeader(8000, 2, 9), WavHeader(8000, 1, 9)], None, None).channels == 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "the file is empty"),
        (lambda content: content[:20], "damaged or no WAV file"),
        (lambda content: content[:-100], "damaged or no WAV file .Reached EOF"),
        (lambda content: b"RIFX" + content[4:], "damaged or no WAV file"),
        (lambda content: b"hello" * 20, "damaged or no WAV file .*not understood"),
        (lambda content: content[:44], "damaged or no WAV file|holds no samples"),
    ],
)
def test_damaged_files(tmp_path, damage, message):
    wavfile.write(tmp_path / "a.wav", 8000, tone().astype(np.float32))
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(damage(content))
    with pytest.raises(FileProblem, match=message):
        decode(tmp_path / "a.wav")


def test_no_samples_and_samples_that_are_not_finite(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.zeros(0, np.int16))
    with pytest.raises(FileProblem, match=r"holds no samples|damaged"):
        decode(tmp_path / "a.wav")
    wavfile.write(tmp_path / "a.wav", 8000, np.full(9, np.nan, np.float32))
    with pytest.raises(FileProblem, match="not finite"):
        decode(tmp_path / "a.wav")
    with pytest.raises(FileProblem, match=r"cannot be read .No such file"):
        decode(tmp_path / "absent.wav")


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
