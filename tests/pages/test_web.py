"""The page's own files: how one script is made of modules, what a browser must have, digests."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from importlib import resources

import pytest

from striate.data.text import split_words
from striate.training.optimizers import optimizer
from striate.web.bundle import bundle, read

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="runs the modules in Node")


def node(script: str) -> str:
    done = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.strip()


@pytest.mark.parametrize("entry", ["explorer.js", "explorer_worker.js", "learn.js", "learn_worker.js", "module.js"])
def test_a_bundle_needs_no_other_file(entry: str) -> None:
    text = bundle(entry)
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    assert "</script" not in text


def test_every_import_names_what_is_exported() -> None:
    for path in resources.files("striate.web").iterdir():
        if not path.name.endswith(".js"):
            continue
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./([\w./]+)"', path.read_text("utf-8"), re.M):
            exported = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", read(source), re.M)
            assert {name.strip() for name in names.split(",")} <= set(exported), path.name


@needs_node
@pytest.mark.parametrize("size", [0, 3, 55, 56, 64, 1000])
def test_the_digest_is_sha256(size: int) -> None:
    data = bytes(i * 7 % 256 for i in range(size))
    script = bundle("sha256.js") + f"\nconsole.log(sha256(Uint8Array.from({list(data)})));"
    assert node(script) == hashlib.sha256(data).hexdigest()


@needs_node
def test_work_that_is_asked_for_meanwhile_is_done_once_afterwards() -> None:
    script = """
    const begun = [];
    let state = 1;
    const latest = new Latest(async () => {
      const own = state;
      begun.push(own);
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (own === 3) throw new Error("failed");
      return own;
    });
    const wish = (value) => { state = value; return latest.ask().catch((error) => error.message); };
    (async () => {
      const found = await Promise.all([wish(1), wish(2)]), failing = wish(3);
      await new Promise((resolve) => setTimeout(resolve, 0)); // it has begun
      const after = wish(4);
      console.log(JSON.stringify([found, await failing, await after, latest.busy, begun]));
    })();"""
    found = json.loads(node(bundle("latest.js") + script))
    assert found == [[2, 2], "failed", 4, False, [2, 3, 4]]


@needs_node
def test_words_are_those_of_the_training() -> None:
    text = "Don't panic: it's 42! Ångström_x ÉTÉ, l\u2019eau ΣΑΣ  naïve-ish 漢字 \u00bd \u2082 e\u0301 _ ' a'' İ"
    script = bundle("text_input.js") + f"\nconsole.log(JSON.stringify(wordsOf({json.dumps(text)})));"
    assert json.loads(node(script)) == split_words(text)


@needs_node
@pytest.mark.parametrize("dark", [False, True])
def test_counts_can_be_read_on_their_colours(dark: bool) -> None:
    script = f"""
    const pairs = Array.from({{ length: 201 }}, (_, i) => i / 100 - 1)
      .map((share) => [colour(share, true, {json.dumps(dark)}), ink(share, {json.dumps(dark)})]);
    console.log(JSON.stringify(pairs));"""
    for paper, text in json.loads(node(bundle("colours.js") + script)):
        ink = [255 if text == "#fff" else 0] * 3
        low, high = sorted((_luminance(paper), _luminance(ink)))
        assert (high + 0.05) / (low + 0.05) > 4.5  # WCAG 2.2, 1.4.3


def _luminance(colour: list[int]) -> float:
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@needs_node
def test_says_what_the_browser_lacks() -> None:
    script = bundle("embedded.js") + "\nconst has = obstacle(); WebAssembly.validate = () => false;"
    found = node(script + "console.log(JSON.stringify([has, obstacle()]));")
    assert found.startswith('["","This browser has no WebAssembly SIMD')


@needs_node
@pytest.mark.parametrize("name", ["adam", "momentum", "nesterov", "gradient_descent", "rmsprop", "adagrad"])
def test_optimizers_read_the_numbers_of_the_native_ones(name: str) -> None:
    chosen = optimizer(name)
    call = f"numbersOf('{name}', {json.dumps(chosen.config())}, 0.01, 7)"
    found = json.loads(node(bundle("optimizers.js") + f"\nconsole.log(JSON.stringify({call}));"))
    assert found == pytest.approx(chosen.numbers(7, 0.01), rel=1e-6)
