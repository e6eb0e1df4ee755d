// Input of series and sounds: curves to drag over, a recording or a table of numbers to drop.
import { paintCurves } from "./curve_view.js";
import { button, element } from "./elements.js";
import { clip, range } from "./numbers.js";

const MOST_CURVES = 4, WAVES = 3;

/** Draw the curve of each channel; `give(raw, steps)` gets the numbers, `begin()` is called before a change. */
export function seriesInput(room, info, give, begin) {
  const [channels, length] = info.inputShape, { mean, scale } = info.layers[0].rule, channel = (i) => Math.floor(i / length) % mean.length;
  const raw = Float32Array.from({ length: info.values }, (_, i) => mean[channel(i)] + Math.sin((2 * Math.PI * WAVES * (i % length)) / length) / scale[channel(i)]);
  const low = Math.min(...mean.map((m, c) => m - 3 / scale[c])), high = Math.max(...mean.map((m, c) => m + 3 / scale[c]));
  const bounds = () => range([low, high, ...range(raw)]), message = element("p", { class: "hint", role: "status" });
  const canvases = Array.from({ length: Math.min(channels, MOST_CURVES) }, (_, c) => draggable(c, length, bounds, begin, (n, last, value) => {
    raw.fill(value, c * length + Math.min(last, n), c * length + Math.max(last, n) + 1);
    draw();
    give(raw.slice(), []);
  }));
  const draw = () => canvases.forEach((canvas, c) => paintCurves(canvas, [raw.subarray(c * length, (c + 1) * length)], bounds()));
  const show = (values) => {
    raw.set(values);
    draw();
  };
  const read = async (file) => {
    try {
      const found = /\.(csv|tsv|txt)$/i.test(file.name) ? table(await file.text(), info) : await recording(file, info);
      begin();
      show(found.raw);
      message.textContent = file.name;
      give(raw.slice(), found.steps);
    } catch (error) {
      message.textContent = `${file.name}: ${error.message}`;
    }
  };
  const file = element("input", { type: "file", class: "hidden", "aria-label": "file", onchange: () => file.files[0] && read(file.files[0]) });
  document.body.addEventListener("dragover", (event) => event.preventDefault());
  document.body.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
  const hint = `Drag over a curve to change it${channels > MOST_CURVES ? `; these are the first ${MOST_CURVES} of ${channels} channels` : ""}.`;
  room.append(...canvases, element("p", { class: "hint", text: hint }), element("div", { class: "choices" }, button(info.rate ? "open a recording" : "open a file", () => file.click()), file), message);
  draw();
  return { read, start: raw.slice(), show, remember: () => {
    const before = raw.slice();
    return () => show(before);
  } };
}

function draggable(c, length, bounds, begin, set) {
  const canvas = element("canvas", { class: "curve", width: 320, height: 90, "aria-label": `channel ${c}; drag to change it`, role: "img" });
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    begin();
    last = null;
    move(event);
  });
  const move = (event) => {
    if (event.buttons !== 1) return;
    const area = canvas.getBoundingClientRect(), [bottom, top] = bounds();
    const n = clip(Math.floor(((event.clientX - area.left) / area.width) * length), 0, length - 1);
    set(n, last ?? n, top - clip((event.clientY - area.top) / area.height, 0, 1) * (top - bottom));
    last = n;
  };
  canvas.addEventListener("pointermove", move);
  return canvas;
}

/** Return the numbers of a text: a row for each channel, or a column for each. */
function table(text, { inputShape: [channels, length] }) {
  const rows = text.trim().split(/\r?\n/).map((line) => line.split(/[\s,;]+/).filter((cell) => cell !== "").map(Number));
  const body = rows.filter((row) => row.every(Number.isFinite)), numbers = body.flat();
  const across = body.length === channels && body.every((row) => row.length === length), down = body.length === length && body.every((row) => row.length === channels);
  if (!across && !down && numbers.length !== channels * length) throw new Error(`needs ${channels} × ${length} numbers; got ${numbers.length}. Give one row or one column for each channel.`);
  const at = down && !across ? (i) => body[i % length][Math.floor(i / length)] : (i) => numbers[i];
  return { raw: Float32Array.from({ length: channels * length }, (_, i) => at(i)), steps: [] };
}

/** Return the beginning of a recording, resampled to the rate of the training. */
async function recording(file, { inputShape: [channels, length], rate }) {
  if (!rate) throw new Error("cannot be read: this network takes no recordings. Use a .csv file.");
  let sound;
  try {
    sound = await new OfflineAudioContext(channels, length, rate).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error("cannot be read as a recording. Use WAV, MP3, OGG or FLAC.");
  }
  const raw = new Float32Array(channels * length), parts = Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c));
  for (let c = 0; c < channels; c++) for (let i = 0; i < Math.min(length, sound.length); i++) {
    raw[c * length + i] = channels === 1 ? parts.reduce((sum, part) => sum + part[i], 0) / parts.length : parts[c % parts.length][i];
  }
  const kept = sound.length > length ? `the first ${(length / rate).toFixed(2)} s of ${sound.duration.toFixed(2)}` : sound.length < length ? "silence added at the end" : "all of it";
  return { raw, steps: [`read at ${rate} samples a second, ${kept}`] };
}
