// The panel that takes one value apart: its window, the kernel, the products and their sum; or the terms one by one.
import { colour, ink } from "./colours.js";
import { button, element } from "./elements.js";
import { product, short, tiny, total, unflat } from "./numbers.js";

const MOST_GRIDS = 4, MOST_ROWS = 14;

/** Return the panel's content for a decomposition; `actions` are {go, edit, editInput, follow}, of which only `go` must be there. */
export function detail(found, layer, index, info, actions) {
  const part = document.createDocumentFragment();
  const where = layer.axes.map((axis, n) => `${axis} ${index[n]}`).join(", ");
  const last = info.layers.at(-1), ofClass = layer.shape[0] === info.classes.length && layer.shape.length === 1 && (layer === last || last.inputs[0] === layer.name);
  const named = ofClass && info.classes[index[0]] !== String(index[0]) ? info.classes[index[0]] : featureOf(info, layer.name, index[0]).trim(), name = named ? ` (${named})` : "";
  part.append(element("h2", { text: `${layer.name}: ${where}${name}` }), element("p", { class: "hint", text: found.rule ? `${layer.layer}: ${found.rule}` : layer.layer }));
  part.append(sum(found));
  if (found.result !== null) part.append(tools(found, layer, index, actions));
  if (found.text) part.append(element("pre", { text: found.text }));
  else if (found.kernel) part.append(windows(found, layer, actions));
  else if (found.values.length) part.append(terms(found, layer, info, actions));
  return part;
}

function sum(found) {
  const box = element("div", { class: "sum" }), line = (text) => box.append(element("div", { text }));
  if (found.products && found.values.length > 1) line(`sum of ${found.values.length} terms = ${short(total(found.products))}`);
  for (const [name, value] of Object.entries(found.constants ?? {})) line(`${name} = ${short(value)}`);
  for (const text of found.lines ?? []) line(text);
  box.append(element("div", {}, found.result === null ? "value " : `= ${short(found.result)}; the network’s value `, element("b", { text: short(found.value) })));
  if (found.then) line(found.then);
  return box;
}

function tools(found, layer, index, actions) {
  const row = element("div", { class: "choices" });
  if (actions.follow && layer.inputs.length && found.places.length) row.append(button("follow back to the input", () => actions.follow(layer, index)));
  if (actions.editInput && !layer.inputs.length) row.append(button("change this value", () => actions.editInput(index)));
  return row;
}

function grid(values, columns, places, options = {}) {
  const table = element("table", { class: "grid" }), limit = Math.max(...values.map((v) => (Number.isFinite(v) ? Math.abs(v) : 0))) || 1;
  for (let start = 0; start < values.length; start += columns) {
    const row = table.insertRow();
    for (let t = start; t < Math.min(start + columns, values.length); t++) row.append(cell(values[t], t, (0.75 * values[t]) / limit, places[t] < 0, options));
  }
  return element("figure", {}, element("figcaption", { text: options.title ?? "" }), table);
}

function cell(value, t, share, outside, { winner, act, hint }) {
  const node = element("td", { text: tiny(value), title: hint ? `${short(value)}: ${hint}` : short(value) });
  if (Number.isFinite(value)) {
    node.style.background = `rgb(${colour(share, true)})`;
    node.style.color = ink(share);
  }
  if (outside) node.className = "out";
  if (t === winner) node.classList.add("won");
  if (act && !outside) acting(node, () => act(t), `${short(value)}, ${hint}`);
  return node;
}

function acting(node, act, label) {
  node.classList.add("acting");
  node.tabIndex = 0;
  node.setAttribute("role", "button");
  node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  });
}

function windows(found, layer, actions) {
  const size = product(found.kernel), columns = found.kernel.at(-1), part = document.createDocumentFragment();
  const sums = found.channels.map((_, n) => (found.products ? total(found.products.slice(n * size, (n + 1) * size)) : 0));
  const order = found.channels.map((_, n) => n).sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]));
  const shown = order.slice(0, MOST_GRIDS).sort((a, b) => a - b), source = layer.inputs[0];
  for (const n of shown) {
    const cut = (list) => list.slice(n * size, (n + 1) * size), places = cut(found.places), winner = found.winner;
    const go = (t) => actions.go(source, places[t]);
    const trio = element("div", { class: "trio" }, grid(cut(found.values), columns, places, { title: "window", winner, act: go, hint: "go there" }));
    if (found.factorName) {
      const edit = found.parameters && actions.editable ? (t) => actions.edit(cut(found.parameters)[t], `weight of ${layer.name}`) : null;
      trio.append(element("span", { class: "sign", text: "×" }), grid(cut(found.factors), columns, places.map(() => 0), { title: found.factorName, act: edit, hint: edit ? "change it" : "" }));
      trio.append(element("span", { class: "sign", text: "=" }), grid(cut(found.products), columns, places, { title: `products, sum ${short(sums[n])}` }));
    }
    part.append(element("h3", { text: `${source}, channel ${found.channels[n]}` }), trio);
  }
  const left = order.length - shown.length;
  if (left > 0) part.append(element("p", { class: "hint", text: `${left} more channels add ${short(total(order.slice(MOST_GRIDS).map((n) => sums[n])))}` }));
  return part;
}

function terms(found, layer, info, actions) {
  const order = found.values.map((_, t) => t), sizes = found.products ?? found.values, shapes = new Map(info.layers.map((l) => [l.name, l.shape]));
  order.sort((a, b) => Math.abs(sizes[b]) - Math.abs(sizes[a]));
  const table = element("table", { class: "terms" });
  for (const t of order.slice(0, MOST_ROWS)) {
    const row = table.insertRow(), name = found.sources ? found.sources[t] : layer.inputs[0] ?? "raw";
    const where = element("td", { text: found.places.length ? `${name}[${unflat(found.places[t], shapes.get(name)).join(", ")}]${featureOf(info, name, found.places[t])}` : name });
    if (found.places.length) acting(where, () => actions.go(name, found.places[t]), `${where.textContent}, go there`);
    row.append(where, element("td", { text: short(found.values[t]) }));
    if (found.factors) row.append(factor(found, t, layer, actions));
    if (found.products && found.values.length > 1) row.append(element("td", { text: `→ ${short(found.products[t])}` }));
    if (t === found.winner || t === found.chosen) row.className = "won";
  }
  const rest = order.slice(MOST_ROWS), part = document.createDocumentFragment();
  part.append(element("div", { class: "wide" }, table));
  if (rest.length) part.append(element("p", { class: "hint", text: found.products ? `${rest.length} smaller terms add ${short(total(rest.map((t) => found.products[t])))}` : `and ${rest.length} smaller ones` }));
  return part;
}

/** Return the name of a table's feature, where a layer still has one value for each. */
function featureOf(info, name, place) {
  const layer = info.layers.find((other) => other.name === name);
  return layer?.features && info.features?.length ? ` ${info.features[place]}` : "";
}

function factor(found, t, layer, actions) {
  const node = element("td", { text: `${found.sign ?? "×"} ${short(found.factors[t])}` });
  if (found.parameters && actions.editable) {
    acting(node, () => actions.edit(found.parameters[t], `weight of ${layer.name}`), `${short(found.factors[t])}, change it`);
  }
  return node;
}
