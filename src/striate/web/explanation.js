// The page that explains one sample: scores, attributions, and feature maps whose every cell shows its sum.
import { colour, dark } from "./colours.js";
import { detail } from "./detail.js";
import { choices, element } from "./elements.js";
import { clip, flat, product, range, short, total, unflat, unpackAll } from "./numbers.js";
import { decompose } from "./rules.js";

const page = unpackAll(JSON.parse(document.getElementById("data").textContent));
const layers = new Map(page.layers.map((layer) => [layer.name, layer]));
const state = { layers, values: new Map(page.layers.map((layer) => [layer.name, layer.values])), raw: page.layers[0].rule.raw };
const MOST_MAPS = 96;
window.striate = { decompose: (name, index) => decompose(state, name, index), layers: page.layers.map((l) => ({ name: l.name, shape: l.shape })) };

// ---- drawing ----------------------------------------------------------------------------------------------
// The layout of a map: rows and columns on the canvas for each position.
function sheet(shape) {
  if (shape.length === 1) {
    const columns = shape[0] <= 40 ? shape[0] : Math.ceil(Math.sqrt(shape[0] * 5));
    return { rows: Math.ceil(shape[0] / columns), columns, count: shape[0], cell: 12 };
  }
  const space = shape.slice(1), columns = space[space.length - 1], rows = product(space.slice(0, -1));
  const most = Math.max(rows, columns);
  return { rows, columns, count: rows * columns, cell: clip(Math.floor(110 / most), 1, 12) };
}
function paint(canvas, values, layout, low, high, signed) {
  canvas.width = layout.columns;
  canvas.height = layout.rows;
  canvas.style.width = `${layout.columns * layout.cell}px`;
  canvas.style.height = `${layout.rows * layout.cell}px`;
  const context = canvas.getContext("2d"), image = context.createImageData(layout.columns, layout.rows);
  const span = signed ? Math.max(Math.abs(low), Math.abs(high)) || 1 : high - low || 1;
  for (let i = 0; i < values.length; i++) {
    const [r, g, b] = colour(signed ? values[i] / span : (values[i] - low) / span, signed);
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
const CURVES = ["#0b5394", "#c2570c", "#3f7d20", "#7b3fa0"], DARK_CURVES = ["#7db7f0", "#ff9d3c", "#86c166", "#c49be0"];
function paintCurves(canvas, values, shape, width, height, bands) { // series: a curve for each channel, in its own range, over bands
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d"), [channels, length] = shape;
  context.fillStyle = `rgb(${colour(0, true)})`;
  context.fillRect(0, 0, width, height);
  if (bands) {
    const limit = Math.max(...range(bands).map(Math.abs)) || 1, step = width / length;
    for (let n = 0; n < length; n++) {
      context.fillStyle = `rgb(${colour(0.8 * bands[n] / limit, true)})`;
      context.fillRect(n * step, 0, Math.ceil(step), height);
    }
  }
  for (let c = 0; c < channels; c++) {
    const curve = values.slice(c * length, (c + 1) * length), [low, high] = range(curve);
    context.strokeStyle = (dark() ? DARK_CURVES : CURVES)[c % 4];
    context.beginPath();
    curve.forEach((value, n) => {
      context.lineTo(((n + 0.5) / length) * width, height - 3 - ((value - low) / (high - low || 1)) * (height - 6));
    });
    context.stroke();
  }
}
const boxes = new Map(); // "layer/channel" -> {box, layout}
function drawMaps(layer) {
  const section = element("div", { class: "layer" });
  section.id = `layer-${layer.name}`;
  section.append(element("h2", { text: layer.name }));
  const about = [layer.layer, layer.shape.join(" × ")];
  if (layer.inputs.length > 1) about.push(`from ${layer.inputs.join(" and ")}`);
  if (layer.parameters) about.push(`${layer.parameters.toLocaleString("en")} parameters`);
  if (layer.field) about.push(`sees ${layer.field} of the input`);
  section.append(element("span", { class: "about", text: about.join(" · ") }));
  const maps = element("div", { class: "maps" }), layout = sheet(layer.shape);
  const [low, high] = range(layer.values), signed = layer.inputs.length > 0;
  const channels = layer.shape.length === 1 ? 1 : layer.shape[0];
  for (let c = 0; c < Math.min(channels, MOST_MAPS); c++) {
    const frame = element("div", { class: "map" }), canvas = element("canvas"), box = element("i");
    canvas.tabIndex = 0;
    canvas.dataset.layer = layer.name;
    canvas.dataset.channel = c;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${layer.name}, ${layer.shape.length === 1 ? "all features" : `channel ${c}`}`);
    const part = layer.shape.length === 1 ? layer.values : layer.values.subarray(c * layout.count, (c + 1) * layout.count);
    if (layer.shape.length === 2 && layer.shape[1] > 1) paintCurves(canvas, part, [1, layer.shape[1]], 220, 64);
    else paint(canvas, part, layout, low, high, signed);
    listen(canvas, layer, c, layout);
    frame.append(canvas, box);
    boxes.set(`${layer.name}/${c}`, { box, layout });
    maps.append(frame);
  }
  section.append(maps);
  if (channels > MOST_MAPS) section.append(element("p", { class: "hint", text: `the first ${MOST_MAPS} of ${channels} maps` }));
  return section;
}

function listen(canvas, layer, channel, layout) {
  const show = (place) => {
    if (place < 0 || place >= layout.count) return;
    canvas.dataset.place = place;
    const index = layer.shape.length === 1 ? [place] : [channel, ...unflat(place, layer.shape.slice(1))];
    explain(layer, index);
  };
  canvas.addEventListener("pointermove", (event) => {
    const area = canvas.getBoundingClientRect();
    const column = clip(Math.floor(((event.clientX - area.left) / area.width) * layout.columns), 0, layout.columns - 1);
    const row = clip(Math.floor(((event.clientY - area.top) / area.height) * layout.rows), 0, layout.rows - 1);
    show(row * layout.columns + column);
  });
  canvas.addEventListener("focus", () => show(Number(canvas.dataset.place ?? 0)));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns, ArrowDown: layout.columns }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(Number(canvas.dataset.place ?? 0) + step);
  });
}

function mark(name, channel, first, last) { // marks the cells from place first to place last of a map
  const found = boxes.get(`${name}/${channel}`);
  if (!found) return;
  const { box, layout } = found, { columns, rows } = layout;
  const top = Math.floor(first / columns), left = first % columns;
  const bottom = Math.floor(last / columns), right = last % columns;
  box.style.left = `${(100 * Math.min(left, right)) / columns}%`;
  box.style.top = `${(100 * top) / rows}%`;
  box.style.width = `${(100 * (Math.abs(right - left) + 1)) / columns}%`;
  box.style.height = `${(100 * (bottom - top + 1)) / rows}%`;
  box.style.display = "block";
}
function markPlaces(layer, places) {
  if (!layer || places.length === 0) return;
  if (layer.shape.length === 1) {
    if (places.length === 1) mark(layer.name, 0, places[0], places[0]);
    else if (places.length === layer.values.length) mark(layer.name, 0, 0, sheet(layer.shape).rows * sheet(layer.shape).columns - 1);
    return;
  }
  const count = sheet(layer.shape).count, spans = new Map();
  for (const place of places) {
    if (place < 0) continue;
    const c = Math.floor(place / count), span = spans.get(c) ?? [Infinity, -Infinity];
    spans.set(c, [Math.min(span[0], place % count), Math.max(span[1], place % count)]);
  }
  for (const [c, [first, last]] of spans) mark(layer.name, c, first, last);
}

// ---- the panel ----------------------------------------------------------------------------------------------
const panel = document.getElementById("detail");
function explain(layer, index) {
  const found = decompose(state, layer.name, index), readers = page.layers.filter((other) => other.inputs.includes(layer.name));
  if (readers.length === 1 && readers[0].rule.kind === "function") {
    const [{ name, rule }] = readers;
    found.then = `then ${name}: ${rule.formula} = ${short(decompose(state, name, index).result)}`;
  }
  for (const { box } of boxes.values()) box.style.display = "none";
  markPlaces(layer, [flat(index, layer.shape)]);
  if (found.sources) found.sources.forEach((name, t) => markPlaces(layers.get(name), [found.places[t]]));
  else markPlaces(layers.get(layer.inputs[0]), found.places);
  const go = (name, place) => explain(layers.get(name), unflat(place, layers.get(name).shape));
  panel.replaceChildren(detail(found, layer, index, page, { go }));
  Object.assign(panel.dataset, { layer: layer.name, index: index.join(","), sum: found.result, value: found.value });
}

// ---- scores and attributions -----------------------------------------------------------------------------
function drawScores() {
  const room = document.getElementById("scores"), shown = page.classifier ? page.probabilities : page.scores;
  room.append(element("h3", { text: page.classifier ? page.noun === "label" ? "Label probabilities" : "Class probabilities" : "Predicted" }));
  const most = Math.max(...shown.map(Math.abs)) || 1;
  const order = shown.map((_, k) => k);
  if (shown.length > 20) order.sort((a, b) => shown[b] - shown[a]);
  for (const k of order.slice(0, 20)) {
    const row = element("div", { class: k === page.target ? "score chosen" : "score" }), bar = element("span", { class: "bar" });
    bar.style.width = `${(100 * Math.abs(shown[k])) / most}%`;
    row.title = `score ${short(page.scores[k] ?? shown[k])}`;
    const figure = page.classifier ? `${(100 * shown[k]).toFixed(1)} %` : short(shown[k]);
    row.append(element("span", { text: page.classes[k] ?? String(k) }), bar, element("span", { text: figure }));
    room.append(row);
  }
}
function levels(shape, raw) { // the grey or coloured pixels of the sample: {rows, columns, first, rgb(i)}; of a volume its middle slice
  const space = shape.slice(1), [rows, columns] = space.slice(-2), plane = rows * columns;
  const first = space.length === 3 ? Math.floor(space[0] / 2) * plane : 0, whole = product(space);
  const [low, high] = range(raw), scale = (v) => Math.round((255 * (v - low)) / (high - low || 1));
  const rgb = (i) => {
    if (shape[0] === 3) return [0, 1, 2].map((c) => scale(raw[c * whole + first + i]));
    let sum = 0;
    for (let c = 0; c < shape[0]; c++) sum += raw[c * whole + first + i];
    const g = scale(sum / shape[0]);
    return [g, g, g];
  };
  return { rows, columns, first, rgb };
}
function radius(rows, columns) { return Math.floor(Math.max(rows, columns) / 64); }
function averaged(values, rows, columns) { // over squares: a map of a large picture is too fine to be seen pixel by pixel
  const r = radius(rows, columns), out = new Float64Array(values.length);
  if (r === 0) return values;
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
    let sum = 0, count = 0;
    for (let b = Math.max(0, y - r); b <= Math.min(rows - 1, y + r); b++)
      for (let a = Math.max(0, x - r); a <= Math.min(columns - 1, x + r); a++) { sum += values[b * columns + a]; count++; }
    out[y * columns + x] = sum / count;
  }
  return out;
}
function paintSample(canvas, input, values) { // the sample, with what speaks for (red) and against (blue) over it
  const { rows, columns, first, rgb } = levels(input.shape, input.rule.raw);
  if (values) values = averaged(values.subarray(first, first + rows * columns), rows, columns);
  const limit = values ? Math.max(...range(values).map(Math.abs)) || 1 : 1;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    let pixel = rgb(i);
    if (values) {
      const share = values[i] / limit, alpha = 0.9 * Math.min(1, Math.abs(share)) ** 0.7, grey = 90 + 0.6 * total(pixel) / 3;
      const end = colour(Math.sign(share), true);
      pixel = end.map((c) => Math.round(grey + (c - grey) * alpha));
    }
    image.data.set([...pixel, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
function featureTable(input, values) {
  const table = element("table", { class: "features" }), limit = values ? Math.max(...range(values).map(Math.abs)) || 1 : 1;
  const order = Array.from(input.rule.raw, (_, n) => n);
  if (values) order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
  const telling = order.filter((n) => input.rule.raw[n] !== 0 || (values && values[n] !== 0)); // not the other categories
  for (const n of (telling.length ? telling : order).slice(0, 60)) {
    const row = table.insertRow();
    row.insertCell().textContent = page.features[n] ?? `feature ${n}`;
    row.insertCell().textContent = short(input.rule.raw[n]);
    const bar = element("span", { class: values && values[n] < 0 ? "bar against" : "bar for" });
    bar.style.width = values ? `${(100 * Math.abs(values[n])) / limit}%` : "0";
    row.insertCell().append(bar);
    row.insertCell().textContent = values ? short(values[n]) : "";
  }
  return table;
}
function textOf(values) { // the words of a text, on red where they speak for the class
  const room = element("p", { class: "text" }), limit = values ? Math.max(...range(values).map(Math.abs)) || 1 : 1;
  page.words.forEach((word, n) => {
    if (!word) return;
    const one = element("span", { text: word }), share = values ? values[n] / limit : 0;
    one.style.background = `rgba(${share > 0 ? "178, 24, 43" : "33, 102, 172"}, ${0.75 * Math.abs(share)})`;
    if (values) one.title = short(values[n]);
    room.append(one, " ");
  });
  return room;
}
function drawSample() {
  const input = page.layers[0], caption = element("p", { class: "hint" }), frame = element("div", { class: "map large" }), canvas = element("canvas");
  const flatInput = product(input.shape.slice(1)) === 1, curve = input.shape.length === 2;
  const maps = new Map(page.attributions.map((item) => [item.method, item]));
  const show = (method) => {
    const item = maps.get(method);
    caption.textContent = item ? `${item.method}: the map adds up to ${short(item.sum)}; the score rose by ${short(item.rise)} from ${item.start}` : "";
    if (item && !flatInput && !curve) {
      const r = radius(...input.shape.slice(-2));
      if (r > 0) caption.textContent += `; averaged over ${2 * r + 1} × ${2 * r + 1} pixels`;
    }
    if (page.words.length) return frame.replaceChildren(textOf(item?.values));
    if (flatInput) return frame.replaceChildren(featureTable(input, item?.values));
    if (curve) paintCurves(canvas, input.rule.raw, input.shape, 620, 220, item?.values);
    else {
      paintSample(canvas, input, item?.values);
      const most = Math.max(canvas.width, canvas.height), side = Math.max(320, Math.min(480, most));
      canvas.style.width = `${(side * canvas.width) / most}px`;
      canvas.style.height = `${(side * canvas.height) / most}px`;
      canvas.style.imageRendering = most < 200 ? "pixelated" : "auto";
    }
    canvas.dataset.attribution = item?.method ?? "none";
  };
  if (!flatInput) frame.append(canvas);
  const follows = "Which places gradient-x-input, integrated-gradients and occlusion mark follows the sample even for random weights; read their signs.";
  const preferred = maps.has("integrated-gradients") ? "integrated-gradients" : "sample";
  const options = ["sample", ...maps.keys()].map((name) => [name, name]);
  document.getElementById("sample").append(choices("Attribution", options, preferred, show), frame, caption,
    element("p", { class: "hint", text: maps.size ? follows : "" }));
  show(preferred);
}

document.getElementById("title").textContent = `${page.network}: ${page.sample}`;
document.getElementById("verdict").textContent =
  (page.classifier
    ? `${page.noun} ${page.classes[page.shown]}, ${(100 * page.probabilities[page.shown]).toFixed(1)} %. `
    : `${page.scores.slice(0, 3).map((value, n) => `${page.classes[n] ?? "output"} ${short(value)}`).join(", ")}. `) +
  "Red speaks for, blue against. Point at any cell of a feature map to see the numbers it came from.";
drawScores();
drawSample();
for (const layer of page.layers) document.getElementById("layers").append(drawMaps(layer));
const last = page.layers[page.layers.length - 1];
explain(last, last.shape.length === 1 ? [Math.min(page.shown, last.shape[0] - 1)] : last.shape.map(() => 0));
panel.append(element("p", { class: "hint", text: "Point at a cell, or move with Tab and the arrow keys: its window, kernel and sum appear here." }));
