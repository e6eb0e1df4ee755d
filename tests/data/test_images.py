from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from striate.data.images import read_image
from striate.errors import DataError, UsageError
from support.pictures import bomb, encoded


@pytest.fixture
def photo() -> np.ndarray:
    """A colour picture of 20 x 30 pixels without a symmetry (uint8[20, 30, 3])."""
    rows, columns = np.mgrid[:20, :30]
    smooth = np.stack([rows * 11, columns * 7, (rows + columns) * 4], axis=-1)
    return (smooth + np.random.default_rng(0).integers(0, 20, smooth.shape)).astype(np.uint8)


class TestKinds:
    @pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP", "TGA", "JPEG2000"])
    def test_every_common_format_whatever_the_name_says(self, tmp_path, photo, kind):
        path = tmp_path / "picture.txt"
        path.write_bytes(encoded(photo, kind))
        got = read_image(path)
        assert got.shape == (3, 20, 30)
        assert got.dtype == np.uint8
        loss = 0 if kind in ("PNG", "BMP", "TIFF", "PPM", "TGA", "JPEG2000") else 40
        assert np.abs(got.transpose(1, 2, 0).astype(int) - photo).mean() <= loss

    def test_grey_is_itu_r_601_luma(self, tmp_path, photo):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(photo))
        luma = photo @ np.array([299, 587, 114]) / 1000
        assert np.abs(read_image(path, channels=1)[0] - luma).max() <= 0.51

    def test_grey_becomes_three_equal_channels(self, tmp_path, photo):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(photo[..., 0]))
        assert np.array_equal(read_image(path, 3), np.stack([photo[..., 0]] * 3))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bits_become_8(self, tmp_path, kind):
        levels = np.array([[0, 256, 257], [32768, 65279, 65535]], np.uint16)
        path = tmp_path / "a"
        path.write_bytes(encoded(levels, kind))
        assert np.array_equal(read_image(path, 1)[0], np.round(levels / 257))

    def test_palette_and_black_and_white(self, tmp_path):
        Image.fromarray(np.array([[0, 1]], np.uint8), "P").save(tmp_path / "p.png")
        palette = Image.new("P", (1, 1), 1)
        palette.putpalette([0, 0, 0, 10, 200, 30])
        palette.save(tmp_path / "p.png")
        assert read_image(tmp_path / "p.png").ravel().tolist() == [10, 200, 30]
        Image.new("1", (2, 1), 1).save(tmp_path / "b.png")
        assert read_image(tmp_path / "b.png", 1).ravel().tolist() == [255, 255]

    def test_cmyk(self, tmp_path, photo):
        Image.fromarray(photo).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
        assert np.abs(read_image(tmp_path / "a.jpg").transpose(1, 2, 0).astype(int) - photo).mean() < 8
        assert read_image(tmp_path / "a.jpg", 1).shape == (1, 20, 30)

    def test_transparent_pixels_show_white(self, tmp_path):
        Image.new("RGBA", (1, 1), (200, 0, 0, 0)).save(tmp_path / "rgba.png")
        Image.new("LA", (1, 1), (0, 127)).save(tmp_path / "la.png")
        clear = Image.new("P", (1, 1), 0)
        clear.putpalette([9, 9, 9])
        clear.save(tmp_path / "p.png", transparency=0)
        assert read_image(tmp_path / "rgba.png").ravel().tolist() == [255] * 3
        assert read_image(tmp_path / "la.png", 1).ravel().tolist() == [128]
        assert read_image(tmp_path / "p.png", 1).ravel().tolist() == [255]

    def test_the_first_frame_of_an_animation(self, tmp_path):
        frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
        assert (read_image(tmp_path / "a.gif", 1) == 10).all()

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_rotation_is_applied(self, tmp_path, photo, orientation):
        upright = photo[..., 0]
        turned = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T}
        turned |= {6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1]}
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = np.ascontiguousarray(turned[orientation])
        Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(read_image(tmp_path / "a.png", 1)[0], upright)

    def test_invert(self, tmp_path, photo):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(photo))
        assert np.array_equal(read_image(path, invert=True), 255 - read_image(path))


class TestSize:
    @pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
    def test_size_is_rows_by_columns(self, tmp_path, photo, fit):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(photo))
        assert read_image(path, 3, (8, 13), fit).shape == (3, 8, 13)

    def test_the_same_size_changes_no_pixel(self, tmp_path, photo):
        path = tmp_path / "a.png"
        path.write_bytes(encoded(photo))
        for fit in ("stretch", "crop", "pad"):
            assert np.array_equal(read_image(path, 3, (20, 30), fit), photo.transpose(2, 0, 1))

    def test_crop_takes_the_middle_and_pad_adds_black_bars(self, tmp_path):
        stripes = np.zeros((10, 30), np.uint8)
        stripes[:, 10:20] = 100
        Image.fromarray(stripes).save(tmp_path / "a.png")
        assert (read_image(tmp_path / "a.png", 1, (10, 10), "crop") == 100).all()
        Image.new("L", (30, 10), 100).save(tmp_path / "a.png")
        padded = read_image(tmp_path / "a.png", 1, (30, 30), "pad")[0]
        assert (padded[:10] == 0).all()
        assert (padded[10:20] == 100).all()

    def test_a_large_photograph_shrunk_by_its_decoder_is_nearly_the_same(self, tmp_path):
        rows, columns = np.mgrid[:1200, :1600]
        large = (128 + 100 * np.sin(rows / 90) * np.cos(columns / 120)).astype(np.uint8)
        Image.fromarray(large).save(tmp_path / "a.jpg", quality=95)
        got = read_image(tmp_path / "a.jpg", 1, (60, 80))[0]
        means = large.reshape(60, 20, 80, 20).mean(axis=(1, 3))
        assert np.abs(got - means).max() < 4

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"channels": 2}, "channels must be 1 .grey. or 3"),
            ({"size": (0, 5)}, "a size is .rows, columns"),
            ({"size": (5,)}, "a size is .rows, columns"),
            ({"size": (10**6, 10**6)}, "a size is .rows, columns"),
            ({"fit": "squeeze"}, "fit must be one of stretch, crop, pad; got 'squeeze'"),
        ],
    )
    def test_options_that_cannot_mean_anything(self, tmp_path, options, message):
        with pytest.raises(UsageError, match=message):
            read_image(tmp_path / "a.png", **options)


class TestBadFiles:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda photo: b"", "the file is empty"),
            (lambda photo: b"Just a note.", "not a supported image format"),
            (lambda photo: encoded(photo)[:-100], "damaged or unsupported image .*truncated"),
            (lambda photo: encoded(photo, "JPEG")[:-100], "damaged or unsupported image .*truncated"),
            (lambda photo: bomb(30_000, 30_000), "more than 89,478,485"),
            (lambda photo: bomb(10_000, 10_000), "more than 89,478,485"),
            (lambda photo: bomb(9000, 9000), "9,000 x 9,000 pixels in 57 bytes; that is not credible"),
            (lambda photo: bomb(4000, 4000), "damaged or unsupported image"),
            (lambda photo: encoded(photo[..., 0].astype(np.float32), "TIFF"), "32-bit floating point"),
            (lambda photo: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a supported image"),
        ],
    )
    def test_a_bad_file_is_one_line_with_path_and_reason(self, tmp_path, photo, make, message):
        path = tmp_path / "a.jpg"
        path.write_bytes(make(photo))
        with pytest.raises(DataError, match=message) as caught:
            read_image(path, 3, (16, 16))
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)

    def test_the_limit_holds_where_somebody_lifted_that_of_pillow(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
        (tmp_path / "a.png").write_bytes(bomb(10_000, 10_000))
        with pytest.raises(DataError, match=r"10,000 x 10,000 pixels; more than 89,478,485"):
            read_image(tmp_path / "a.png")

    def test_no_file_and_a_folder(self, tmp_path):
        with pytest.raises(DataError, match=r"cannot be read .No such file"):
            read_image(tmp_path / "absent.png")
        with pytest.raises(DataError, match=r"cannot be read .Is a directory"):
            read_image(tmp_path)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000", "PPM", "TGA"])
    def test_bit_flips_give_pixels_or_a_data_error_and_nothing_else(self, tmp_path, photo, kind):
        rng = np.random.default_rng(0)
        good = np.frombuffer(encoded(photo, kind), np.uint8)
        path = tmp_path / "a"
        for _ in range(60):
            bad = good.copy()
            bad[rng.integers(0, min(len(bad), 120), 4)] ^= 1 << rng.integers(0, 8, 4).astype(np.uint8)
            path.write_bytes(bad.tobytes())
            with suppress(DataError):
                assert read_image(path, 3, (16, 16)).shape == (3, 16, 16)
