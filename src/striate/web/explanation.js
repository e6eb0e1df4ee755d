"use strict";
const page = JSON.parse(document.getElementById("data").textContent);
const layers = new Map(page.layers.map((layer) => [layer.name, layer]));
const MOST_GRIDS = 4, MOST_ROWS = 14, MOST_MAPS = 96;

// ---- numbers ------------------------------------------------------------------------------------------
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (c) => c.charCodeAt(0));
  return new { f4: Float32Array, f8: Float64Array, i4: Int32Array }[packed.type](bytes.buffer);
}
for (const layer of page.layers) {
  layer.values = unpack(layer.values);
  for (const [key, value] of Object.entries(layer.rule)) if (value?.data) layer.rule[key] = unpack(value);
  if (layer.rule.channels) { // where the kernel of each output channel begins
    layer.rule.begin = [0];
    const taps = layer.rule.axes.map((table) => table[0].length).reduce((a, b) => a * b, 1);
    for (const seen of layer.rule.channels) layer.rule.begin.push(layer.rule.begin.at(-1) + seen.length * taps);
  }
}
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
const total = (numbers) => numbers.reduce((a, b) => a + b, 0);
function flat(index, shape) { return index.reduce((place, i, axis) => place * shape[axis] + i, 0); }
function unflat(place, shape) {
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) { index.unshift(place % shape[axis]); place = Math.floor(place / shape[axis]); }
  return index;
}
function short(value) {
  if (!Number.isFinite(value)) return String(value);
  return value === 0 ? "0" : String(Number(value.toPrecision(6)));
}
function tiny(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  return size >= 1000 || size < 0.001 ? value.toExponential(0) : value.toFixed(size < 10 ? 3 : 1).replace(/^(-?)0\./, "$1.");
}

// ---- how a value comes about: {values, factors, products, places, constants, result, ...} ----------------
const clip = (x, low, high) => Math.min(Math.max(x, low), high);
function windowPlaces(axes, position, channels, shape) {
  const taps = axes.map((table, axis) => table[position[axis]]);
  let found = channels.map((c) => c);
  taps.forEach((positions, axis) => {
    const next = [];
    for (const place of found) for (const p of positions) next.push(place < 0 || p < 0 ? -1 : place * shape[axis + 1] + p);
    found = next;
  });
  return { places: found, kernel: taps.map((positions) => positions.length) };
}
function read(source, places, outside) { return places.map((place) => (place < 0 ? outside : source.values[place])); }
function named(rule, constant) { return constant === 0 ? {} : { [rule.constant_name]: constant }; }
function summed(values, factors, places, constants) {
  const products = values.map((x, t) => x * factors[t]);
  return { values, factors, products, places, constants, result: total(products) + total(Object.values(constants)) };
}

const rules = {
  given(layer, index) {
    const place = flat(index, layer.shape), raw = layer.rule.raw[place], made = layer.rule.normalisation;
    if (!made) return { rule: "the raw value", values: [raw], places: [], result: raw };
    const mean = made.mean[index[0]], scale = made.scale[index[0]];
    return { rule: "(raw − mean) / scale", values: [raw], places: [],
      lines: [`(${short(raw)} − ${short(mean)}) / ${short(scale)}`], result: (raw - mean) / scale };
  },
  windows(layer, index) {
    const rule = layer.rule, source = layers.get(layer.inputs[0]), [m, ...position] = index, channels = rule.channels[m];
    const { places, kernel } = windowPlaces(rule.axes, position, channels, source.shape);
    const factors = Array.from(rule.weight.subarray(rule.begin[m], rule.begin[m + 1]));
    return { ...summed(read(source, places, 0), factors, places, named(rule, rule.constant[m])), kernel, channels, factorName: "kernel" };
  },
  rows(layer, index) {
    const rule = layer.rule, own = flat(index, layer.shape), [first, end] = [rule.starts[own], rule.starts[own + 1]];
    const sources = [], places = [], values = [];
    for (const joint of rule.places.subarray(first, end)) { // counted through all inputs, one after the other
      let place = joint, number = 0;
      while (place >= layers.get(layer.inputs[number]).values.length) place -= layers.get(layer.inputs[number++]).values.length;
      sources.push(layer.inputs[number]);
      places.push(place);
      values.push(layers.get(layer.inputs[number]).values[place]);
    }
    return { ...summed(values, Array.from(rule.weight.subarray(first, end)), places, named(rule, rule.constant[own])), sources };
  },
  pointwise(layer, index) {
    const rule = layer.rule, place = flat(index, layer.shape), x = layers.get(layer.inputs[0]).values[place];
    const of = (list) => list[list.length === 1 ? 0 : list.length === layer.shape[0] ? index[0] : place];
    return summed([x], [of(rule.factor)], [place], named(rule, of(rule.constant)));
  },
  maximum(layer, index) {
    const rule = layer.rule, source = layers.get(layer.inputs[0]), [c, ...position] = index;
    const { places, kernel } = windowPlaces(rule.axes, position, [c], source.shape), values = read(source, places, -Infinity);
    const winner = values.indexOf(Math.max(...values));
    return { values, places, kernel, channels: [c], winner, result: values[winner] };
  },
  function(layer, index) {
    const place = flat(index, layer.shape), x = layers.get(layer.inputs[0]).values[place];
    return { values: [x], places: [place], result: layer.values[place] };
  },
  text(layer, index) {
    const place = flat(index, layer.shape);
    return { text: layer.rule.texts[place], rule: "", values: [], places: [], result: layer.rule.sums[place] };
  },
  none(layer, index) {
    return { rule: layer.rule.why, values: [], places: [], result: null };
  },
};

function decompose(name, index) {
  const layer = layers.get(name);
  return { rule: layer.rule.formula, ...rules[layer.rule.kind](layer, index), value: layer.values[flat(index, layer.shape)] };
}
window.striate = { decompose: (name, index) => decompose(name, index), layers: page.layers.map((l) => ({ name: l.name, shape: l.shape })) };

// ---- drawing ----------------------------------------------------------------------------------------------
function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function colour(share, signed) { // share from -1 to 1: blue, white, red; or from 0 to 1: black to white
  if (!signed) { const g = Math.round(255 * clip(share, 0, 1)); return [g, g, g]; }
  const s = clip(share, -1, 1), fade = (end) => Math.round(255 + (end - 255) * Math.abs(s));
  return s >= 0 ? [fade(178), fade(24), fade(43)] : [fade(33), fade(102), fade(172)];
}
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
function paintCurves(canvas, values, shape, width, height, bands) { // series: one curve for each channel, over red and blue bands
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d"), [channels, length] = shape, [low, high] = range(values), span = high - low || 1;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  if (bands) {
    const limit = Math.max(...range(bands).map(Math.abs)) || 1, step = width / length;
    for (let n = 0; n < length; n++) {
      context.fillStyle = `rgb(${colour(0.8 * bands[n] / limit, true)})`;
      context.fillRect(n * step, 0, Math.ceil(step), height);
    }
  }
  for (let c = 0; c < channels; c++) {
    context.strokeStyle = ["#0b5394", "#c2570c", "#3f7d20", "#7b3fa0"][c % 4];
    context.beginPath();
    for (let n = 0; n < length; n++) {
      context.lineTo(((n + 0.5) / length) * width, height - 3 - ((values[c * length + n] - low) / span) * (height - 6));
    }
    context.stroke();
  }
}
function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  return [low, high];
}

const boxes = new Map(); // "layer/channel" -> {box, layout}
function drawMaps(layer) {
  const section = element("div", "layer");
  section.id = `layer-${layer.name}`;
  section.append(element("h2", "", layer.name));
  const about = [layer.layer, layer.shape.join(" × ")];
  if (layer.inputs.length > 1) about.push(`from ${layer.inputs.join(" and ")}`);
  if (layer.parameters) about.push(`${layer.parameters.toLocaleString("en")} parameters`);
  about.push(`sees ${layer.field} of the input`);
  section.append(element("span", "about", about.join(" · ")));
  const maps = element("div", "maps"), layout = sheet(layer.shape);
  const [low, high] = range(layer.values), signed = layer.inputs.length > 0;
  const channels = layer.shape.length === 1 ? 1 : layer.shape[0];
  for (let c = 0; c < Math.min(channels, MOST_MAPS); c++) {
    const frame = element("div", "map"), canvas = element("canvas"), box = element("i");
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
  if (channels > MOST_MAPS) section.append(element("p", "hint", `the first ${MOST_MAPS} of ${channels} maps`));
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
const detail = document.getElementById("detail");
function grid(values, columns, places, winner, title) {
  const figure = element("figure"), table = element("table", "grid");
  const limit = Math.max(...values.map((v) => (Number.isFinite(v) ? Math.abs(v) : 0))) || 1;
  for (let start = 0; start < values.length; start += columns) {
    const row = table.insertRow();
    for (let t = start; t < Math.min(start + columns, values.length); t++) {
      const cell = row.insertCell(), share = (0.75 * values[t]) / limit;
      cell.textContent = tiny(values[t]);
      if (Number.isFinite(values[t])) cell.style.background = `rgb(${colour(share, true)})`;
      if (Math.abs(share) > 0.6) cell.style.color = "#fff";
      if (places[t] < 0) cell.className = "out";
      if (t === winner) cell.classList.add("won");
    }
  }
  if (title) figure.append(element("figcaption", "", title));
  figure.append(table);
  return figure;
}
function windows(found, source) {
  const size = product(found.kernel), columns = found.kernel[found.kernel.length - 1], part = document.createDocumentFragment();
  const sums = found.channels.map((_, n) => (found.products ? total(found.products.slice(n * size, (n + 1) * size)) : 0));
  const order = found.channels.map((_, n) => n).sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]));
  const shown = order.slice(0, MOST_GRIDS).sort((a, b) => a - b);
  for (const n of shown) {
    const cut = (list) => list.slice(n * size, (n + 1) * size), places = cut(found.places);
    part.append(element("h3", "", `${source.name}, channel ${found.channels[n]}`));
    const trio = element("div", "trio");
    trio.append(grid(cut(found.values), columns, places, found.winner, "window"));
    if (found.factorName) {
      trio.append(element("span", "sign", "×"), grid(cut(found.factors), columns, places, -1, found.factorName));
      trio.append(element("span", "sign", "="), grid(cut(found.products), columns, places, -1, `products, sum ${short(sums[n])}`));
    }
    part.append(trio);
  }
  const left = order.length - shown.length;
  if (left > 0) part.append(element("p", "hint", `${left} more channels add ${short(total(order.slice(MOST_GRIDS).map((n) => sums[n])))}`));
  return part;
}
function terms(found, layer) {
  const order = found.values.map((_, t) => t);
  if (found.products) order.sort((a, b) => Math.abs(found.products[b]) - Math.abs(found.products[a]));
  const table = element("table", "terms");
  for (const t of order.slice(0, MOST_ROWS)) {
    const row = table.insertRow(), name = found.sources ? found.sources[t] : layer.inputs[0] ?? "raw";
    const where = found.places.length ? `[${unflat(found.places[t], layers.get(name).shape).join(", ")}]` : "";
    row.insertCell().textContent = name + where;
    row.insertCell().textContent = short(found.values[t]);
    if (found.factors) row.insertCell().textContent = `× ${short(found.factors[t])}`;
    if (found.products && found.values.length > 1) row.insertCell().textContent = `→ ${short(found.products[t])}`;
  }
  const part = document.createDocumentFragment();
  part.append(table);
  const rest = order.slice(MOST_ROWS);
  if (rest.length) part.append(element("p", "hint", `${rest.length} smaller terms add ${short(total(rest.map((t) => found.products[t])))}`));
  return part;
}
function explain(layer, index) {
  const found = decompose(layer.name, index), source = layers.get(layer.inputs[0]);
  for (const { box } of boxes.values()) box.style.display = "none";
  const own = flat(index, layer.shape);
  markPlaces(layer, [own]);
  if (found.sources) found.sources.forEach((name, t) => markPlaces(layers.get(name), [found.places[t]]));
  else markPlaces(source, found.places);
  detail.replaceChildren();
  detail.dataset.layer = layer.name;
  detail.dataset.index = index.join(",");
  detail.dataset.sum = found.result;
  detail.dataset.value = found.value;
  const name = page.scored.includes(layer.name) ? page.classes[index[0]] : undefined;
  const called = name === undefined || name === String(index[0]) ? "" : ` (${name})`;
  detail.append(element("h2", "", `${layer.name}: ${layer.axes.map((axis, n) => `${axis} ${index[n]}`).join(", ")}${called}`));
  detail.append(element("p", "hint", found.rule ? `${layer.layer}: ${found.rule}` : layer.layer));
  detail.append(ending(found, layer, index));
  if (found.text) detail.append(element("pre", "", found.text));
  else if (found.kernel) detail.append(windows(found, source));
  else if (found.values.length) detail.append(terms(found, layer));
}
function ending(found, layer, index) {
  const box = element("div", "sum"), line = (text) => box.append(element("div", "", text));
  if (found.products && found.factors && found.values.length > 1) line(`sum of ${found.values.length} products = ${short(total(found.products))}`);
  for (const [name, value] of Object.entries(found.constants ?? {})) line(`${name} = ${short(value)}`);
  for (const text of found.lines ?? []) line(text);
  const result = element("div");
  result.append(found.result === null ? "value " : `= ${short(found.result)}; the network's value `, element("b", "", short(found.value)));
  box.append(result);
  const next = page.layers.filter((other) => other.inputs.includes(layer.name));
  if (next.length === 1 && next[0].rule.kind === "function") {
    line(`then ${next[0].name}: ${next[0].rule.formula} = ${short(decompose(next[0].name, index).result)}`);
  }
  return box;
}

// ---- scores and attributions -----------------------------------------------------------------------------
function drawScores() {
  const room = document.getElementById("scores"), shown = page.classifier ? page.probabilities : page.scores;
  room.append(element("h3", "", page.classifier ? "Class probabilities" : "Predicted"));
  const most = Math.max(...shown.map(Math.abs)) || 1;
  const order = shown.map((_, k) => k);
  if (shown.length > 20) order.sort((a, b) => shown[b] - shown[a]);
  for (const k of order.slice(0, 20)) {
    const row = element("div", k === page.target ? "score chosen" : "score"), bar = element("span", "bar");
    bar.style.width = `${(100 * Math.abs(shown[k])) / most}%`;
    row.title = `score ${short(page.scores[k] ?? shown[k])}`;
    row.append(element("span", "", page.classes[k] ?? String(k)), bar, element("span", "", page.classifier ? `${(100 * shown[k]).toFixed(1)} %` : short(shown[k])));
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
  const table = element("table", "features"), limit = values ? Math.max(...range(values).map(Math.abs)) || 1 : 1;
  const order = Array.from(input.rule.raw, (_, n) => n);
  if (values) order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
  for (const n of order.slice(0, 60)) {
    const row = table.insertRow();
    row.insertCell().textContent = page.features[n] ?? `feature ${n}`;
    row.insertCell().textContent = short(input.rule.raw[n]);
    const bar = element("span", values && values[n] < 0 ? "bar against" : "bar for");
    bar.style.width = values ? `${(100 * Math.abs(values[n])) / limit}%` : "0";
    row.insertCell().append(bar);
    row.insertCell().textContent = values ? short(values[n]) : "";
  }
  return table;
}
function textOf(values) { // the words of a text, on red where they speak for the class
  const room = element("p", "text"), limit = values ? Math.max(...range(values).map(Math.abs)) || 1 : 1;
  page.words.forEach((word, n) => {
    if (!word) return;
    const one = element("span", "", word), share = values ? values[n] / limit : 0;
    one.style.background = `rgba(${share > 0 ? "178, 24, 43" : "33, 102, 172"}, ${0.75 * Math.abs(share)})`;
    if (values) one.title = short(values[n]);
    room.append(one, " ");
  });
  return room;
}
function drawSample() {
  const input = page.layers[0], room = document.getElementById("sample"), caption = element("p", "hint", ""), choices = element("div", "choices");
  const frame = element("div", "map large"), canvas = element("canvas"), maps = page.attributions.map((item) => ({ ...item, values: unpack(item.values) }));
  const flatInput = product(input.shape.slice(1)) === 1, curve = input.shape.length === 2;
  const show = (item, button) => {
    for (const other of choices.children) other.setAttribute("aria-pressed", other === button);
    caption.textContent = item ? `${item.method}: the map adds up to ${short(item.sum)}; the score rose by ${short(item.rise)} from a blank sample` : "";
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
  for (const item of [null, ...maps]) {
    const button = element("button", "", item?.method ?? "sample");
    button.addEventListener("click", () => show(item, button));
    choices.append(button);
  }
  if (!flatInput) frame.append(canvas);
  const follows = "Which places gradient-x-input, integrated-gradients and occlusion mark follows the sample even for random weights; read their signs.";
  room.append(choices, frame, caption, element("p", "hint", maps.length ? follows : ""));
  const preferred = Math.max(0, maps.findIndex((item) => item.method === "integrated-gradients") + 1);
  show(preferred ? maps[preferred - 1] : null, choices.children[preferred]);
}

document.getElementById("title").textContent = `${page.network}: ${page.sample}`;
document.getElementById("verdict").textContent =
  (page.classifier
    ? `class ${page.classes[page.shown]}, ${(100 * page.probabilities[page.shown]).toFixed(1)} %. `
    : `${page.scores.slice(0, 3).map((value, n) => `${page.classes[n] ?? "output"} ${short(value)}`).join(", ")}. `) +
  "Red speaks for, blue against. Point at any cell of a feature map to see the numbers it came from.";
drawScores();
drawSample();
for (const layer of page.layers) document.getElementById("layers").append(drawMaps(layer));
const last = page.layers[page.layers.length - 1];
explain(last, last.shape.length === 1 ? [Math.min(page.shown, last.shape[0] - 1)] : last.shape.map(() => 0));
detail.append(element("p", "hint", "Point at a cell, or move with Tab and the arrow keys: its window, kernel and sum appear here."));
