// Input of tables: a slider and a field for each number, a list for each word, or a row of a file.
import { button, element } from "./elements.js";
import { range } from "./numbers.js";
import { featureName } from "./sample_view.js";

const MOST_SLIDERS = 60;

/** Draw a field for each column; `give(raw, steps)` gets the numbers, `begin()` is called before a change. */
export function tableInput(room, info, give, begin) {
  const { mean } = info.layers[0].rule, raw = Float32Array.from({ length: info.values }, (_, i) => mean[i % mean.length]);
  const set = (i, value) => {
    raw[i] = value;
    give(raw.slice(), []);
  };
  const columns = info.columns.length ? info.columns : Array.from({ length: info.values }, (_, i) => ({ name: featureName(info, i), first: i, categories: [] }));
  const fields = columns.slice(0, MOST_SLIDERS).map((column) => (column.categories.length ? words : slider)(column, raw, info, set, begin));
  for (const { name, node } of fields) room.append(element("label", { class: "slider" }, element("span", { class: "name", text: name, title: name }), ...node));
  if (columns.length > MOST_SLIDERS) room.append(element("p", { class: "hint", text: `the first ${MOST_SLIDERS} of ${columns.length} columns` }));
  const show = (values) => {
    raw.set(values);
    fields.forEach(({ update }) => update());
  };
  const start = raw.slice();
  for (const { categories, first } of columns) if (categories.length) start.fill(0, first, first + categories.length)[first] = 1;
  show(start);
  room.append(element("div", { class: "choices" }, button("means of all", () => {
    begin();
    show(start);
    give(start.slice(), []);
  }, { title: "the mean of every column in the training data" })));
  return { start, show, remember: () => {
    const before = raw.slice();
    return () => show(before);
  } };
}

function slider({ name, first }, raw, info, set, begin) {
  const { mean, scale } = info.layers[0].rule, known = info.samples.map((sample) => sample.raw[first]), n = first % mean.length;
  const [low, high] = known.length > 1 ? range(known) : [mean[n] - 3 / scale[n], mean[n] + 3 / scale[n]];
  const bar = element("input", { type: "range", min: low, max: high > low ? high : low + 1, step: "any", "aria-label": name });
  const field = element("input", { type: "number", step: "any", "aria-label": `${name}, exactly` });
  const put = (input) => {
    if (input.value === "" || !Number.isFinite(Number(input.value))) return;
    set(first, Number(input.value));
    update(input);
  };
  const update = (source) => {
    if (source !== bar) bar.value = raw[first];
    if (source !== field) field.value = Number(raw[first].toPrecision(4));
  };
  for (const input of [bar, field]) { // one drag, or one number typed, is one change to undo
    let changing = false;
    input.addEventListener("input", () => {
      if (!changing) begin();
      changing = true;
      put(input);
    });
    input.addEventListener("change", () => { changing = false; });
  }
  return { name, node: [bar, field], update };
}

function words({ name, first, categories }, raw, info, set, begin) {
  const field = element("select", { "aria-label": name, onchange: () => {
    begin();
    raw.fill(0, first, first + categories.length);
    set(first + Number(field.value), 1);
  } }, ...categories.map((text, k) => element("option", { value: k, text })));
  return { name, node: [field], update: () => { field.value = raw.subarray(first, first + categories.length).indexOf(1); } };
}
