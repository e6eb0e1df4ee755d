"""A long training takes no more memory than a short one."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import os, sys, tempfile
    sys.path[:0] = {paths!r}
    from tasks import rich_network, stripes
    from striate import Trainer
    from striate.data.augmentation import Augmentation, Rotation
    from striate.training.callbacks import CSVLog, Callback, Checkpoint, EarlyStopping, ReduceOnPlateau

    class Watch(Callback):
        last, sizes = True, []

        def on_epoch_end(self, trainer, record):
            pages = int(open("/proc/self/statm").read().split()[1])
            self.sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))

    with tempfile.TemporaryDirectory() as folder:
        own = [Checkpoint(folder, keep=2), EarlyStopping(patience=999), ReduceOnPlateau(), CSVLog(folder + "/a")]
        trainer = Trainer(rich_network(), batch_size=32, augmentation=Augmentation([Rotation(10)]))
        trainer.fit(stripes(100), stripes(40, 1), 200, [*own, Watch()])
    print(Watch.sizes[-1] - Watch.sizes[99])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_hundred_epochs_take_less_than_a_megabyte():
    paths = [path for path in sys.path if path]
    source = textwrap.dedent(SCRIPT).format(paths=paths)
    found = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)
    assert int(found.stdout) < 2**20
