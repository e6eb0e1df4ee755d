// Input that is no picture: sliders for a table, a curve to be drawn for a series, numbers for all else.
import { button, element } from "./elements.js";
import { clip, range, short } from "./numbers.js";

const MOST_SLIDERS = 60;

/** Draw a slider for each feature; `give(raw, steps)` gets the numbers. Returns {start, show(raw)}. */
export function tableInput(room, info, give) {
  const { mean, scale } = info.layers[0].rule, known = info.samples.map((sample) => sample.raw);
  const raw = Float32Array.from({ length: info.values }, (_, i) => mean[i % mean.length]);
  const rows = Array.from({ length: Math.min(info.values, MOST_SLIDERS) }, (_, i) => {
    const [low, high] = known.length > 1 ? range(known.map((x) => x[i])) : [mean[i] - 3 / scale[i], mean[i] + 3 / scale[i]];
    const amount = element("output", { text: short(raw[i]) }), name = info.features[i] ?? `feature ${i}`;
    const slider = element("input", { type: "range", min: low, max: high > low ? high : low + 1, step: "any", value: raw[i], "aria-label": name, oninput: () => {
      raw[i] = Number(slider.value);
      amount.textContent = short(raw[i]);
      give(raw.slice(), []);
    } });
    room.append(element("label", { class: "slider" }, element("span", { text: name }), slider, amount));
    return { slider, amount };
  });
  if (info.values > MOST_SLIDERS) room.append(element("p", { class: "hint", text: `the first ${MOST_SLIDERS} of ${info.values} features` }));
  return { start: raw.slice(), show: (values) => rows.forEach(({ slider, amount }, i) => {
    raw.set(values);
    slider.value = values[i];
    amount.textContent = short(values[i]);
  }) };
}

/** Draw the series of each channel, to be changed by dragging over it. */
export function seriesInput(room, info, give) {
  const [channels, length] = info.inputShape, { mean, scale } = info.layers[0].rule;
  const wave = (i) => Math.sin((2 * Math.PI * 3 * (i % length)) / length), channel = (i) => Math.floor(i / length);
  const raw = Float32Array.from({ length: info.values }, (_, i) => mean[channel(i)] + wave(i) / scale[channel(i)]);
  const low = Math.min(...mean.map((m, c) => m - 3 / scale[c])), high = Math.max(...mean.map((m, c) => m + 3 / scale[c]));
  const bounds = () => range([low, high, ...range(raw)]);
  const canvases = Array.from({ length: Math.min(channels, 4) }, (_, c) => {
    const canvas = element("canvas", { class: "curve", width: 320, height: 90, "aria-label": `channel ${c}; drag to change it`, role: "img" });
    let last = null;
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1) return (last = null);
      const area = canvas.getBoundingClientRect(), [bottom, top] = bounds();
      const n = clip(Math.floor(((event.clientX - area.left) / area.width) * length), 0, length - 1);
      const value = top - ((event.clientY - area.top) / area.height) * (top - bottom);
      for (let i = Math.min(last ?? n, n); i <= Math.max(last ?? n, n); i++) raw[c * length + i] = value;
      last = n;
      draw();
      give(raw.slice(), []);
    });
    room.append(canvas);
    return canvas;
  });
  const draw = () => canvases.forEach((canvas, c) => {
    const context = canvas.getContext("2d"), [bottom, top] = bounds();
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--blue");
    context.beginPath();
    for (let n = 0; n < length; n++) context.lineTo(((n + 0.5) / length) * canvas.width, canvas.height * (1 - (raw[c * length + n] - bottom) / (top - bottom || 1)));
    context.stroke();
  });
  room.append(element("p", { class: "hint", text: "Drag over a curve to change it." }));
  draw();
  return { start: raw.slice(), show: (values) => { raw.set(values); draw(); } };
}

/** Say what the page cannot take by hand, and offer random numbers. */
export function otherInput(room, info, give) {
  const { mean, scale } = info.layers[0].rule, text = info.input === "text";
  const hint = text
    ? "This network reads symbols of a text, which cannot be typed in here. Use the samples, or striate predict."
    : `This network takes ${info.inputShape.join(" × ")} numbers. Use the samples, or random numbers.`;
  room.append(element("p", { class: "hint", text: hint }));
  if (!text) {
    room.append(button("random numbers", () => give(Float32Array.from({ length: info.values }, (_, i) => {
      const c = Math.floor((i / info.values) * mean.length);
      return mean[c] + (2 * Math.random() - 1) * (1.7 / scale[c]);
    }), [])));
  }
  return { show: () => {} };
}
