// The layers one below the other: a sheet of feature maps each, with the marks of what is pointed at.
import { button, element } from "./elements.js";
import { flat, unflat } from "./numbers.js";
import { boxAround, layoutOf, paintSheet, placeAt } from "./sheet.js";

const MOST_MAPS = 64;

/** Draws the layers of a source into `room`; `select(layer, index, pinned)` hears what is pointed at. */
export class Layers {
  constructor(room, info, select) {
    Object.assign(this, { room, info, select, views: new Map() });
    this.shown = new IntersectionObserver((entries) => this._appeared(entries), { rootMargin: "200px" });
    for (const layer of info.layers) room.append(this._section(layer));
    new ResizeObserver(() => this.refresh()).observe(room);
  }

  /** Show new values, {layer: Float32Array}: at once what is on the screen, the rest when it comes there. */
  show(values) {
    this.values = values;
    this.refresh();
  }

  refresh() {
    for (const view of this.views.values()) {
      view.stale = true;
      if (view.visible) this._paint(view);
    }
  }

  _appeared(entries) {
    for (const entry of entries) {
      const view = this.views.get(entry.target.dataset.layer);
      view.visible = entry.isIntersecting;
      if (view.visible && view.stale) this._paint(view);
    }
  }

  _paint(view) {
    if (!this.values) return;
    const width = Math.max(60, view.section.clientWidth - 2);
    view.layout = layoutOf(view.layer.shape, width, view.most);
    paintSheet(view.canvas, this.values[view.layer.name], view.layout, view.layer.inputs.length > 0 || this.info.input === "table");
    view.stale = false;
    this._placeMarks(view);
  }

  _section(layer) {
    const about = [layer.layer, layer.shape.join(" × ")];
    if (layer.inputs.length > 1) about.push(`from ${layer.inputs.join(" and ")}`);
    if (layer.parameters) about.push(`${layer.parameters.toLocaleString("en")} parameters`);
    if (layer.field) about.push(`sees ${layer.field} of the input`);
    const canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "feature maps",
      "aria-label": `${layer.name}: move with the arrow keys, Page Up and Page Down change the map, Enter keeps the value` });
    const marks = element("div", { class: "marks" });
    const section = element("section", { class: "layer", id: `layer-${layer.name}`, "data-layer": layer.name },
      element("h3", { text: layer.name }), element("span", { class: "about", text: about.join(" · ") }),
      element("div", { class: "sheet" }, canvas, marks));
    const view = { layer, canvas, marks, section, most: MOST_MAPS, place: 0, stale: true, visible: false, boxes: [] };
    if (layer.shape.length > 1 && layer.shape[0] > MOST_MAPS) section.append(this._more(view));
    this.views.set(layer.name, view);
    this._listen(view);
    this.shown.observe(section);
    return section;
  }

  _more(view) {
    const all = view.layer.shape[0], more = button(`show all ${all} maps`, () => {
      view.most = view.most === all ? MOST_MAPS : all;
      more.textContent = view.most === all ? `show ${MOST_MAPS} maps` : `show all ${all} maps`;
      this._paint(view);
    });
    return more;
  }

  _listen(view) {
    const { canvas, layer } = view;
    const point = (place, pinned) => {
      if (place < 0 || !this.values) return;
      view.place = place;
      this.select(layer, unflat(place, layer.shape), pinned);
    };
    const under = (event) => {
      if (!view.layout) return -1;
      const area = canvas.getBoundingClientRect();
      return placeAt(view.layout, event.clientX - area.left, event.clientY - area.top);
    };
    canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && point(under(event), false));
    canvas.addEventListener("click", (event) => point(under(event), true));
    canvas.addEventListener("focus", () => point(view.place, false));
    canvas.addEventListener("keydown", (event) => {
      if (!view.layout || !this.values) return;
      const { columns, count } = view.layout, size = this.values[layer.name].length;
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -count, PageDown: count, Enter: 0 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      if (view.place + step >= 0 && view.place + step < size) point(view.place + step, event.key === "Enter");
    });
  }

  /** Mark the value at `index` of a layer, and the places of other layers that it comes from. */
  mark(name, index, sources, field) {
    for (const view of this.views.values()) view.boxes = [];
    const own = this.views.get(name);
    own.boxes.push({ kind: "own", places: [flat(index, own.layer.shape)] });
    for (const [source, places] of sources) this.views.get(source).boxes.push(...grouped(this.views.get(source).layer, places));
    if (field) this.views.get(field.name).boxes.push({ kind: "field", places: field.places });
    for (const view of this.views.values()) this._placeMarks(view);
  }

  _placeMarks(view) {
    view.marks.replaceChildren();
    if (!view.layout) return;
    for (const { kind, places } of view.boxes) {
      if (places[0] >= view.layout.tiles * view.layout.count) continue;
      const mark = element("i", { class: kind }), box = boxAround(view.layout, places);
      for (const [side, length] of Object.entries(box)) mark.style[side] = `${length}px`;
      view.marks.append(mark);
    }
  }
}

/** Return one box for each map that some places lie in. */
function grouped(layer, places) {
  const inside = places.filter((place) => place >= 0);
  if (layer.shape.length === 1) {
    const all = inside.length === layer.shape[0];
    return inside.length && (inside.length === 1 || all) ? [{ kind: "source", places: all ? [0, layer.shape[0] - 1].concat(inside) : inside }] : [];
  }
  const count = layer.shape.slice(1).reduce((a, b) => a * b, 1), maps = new Map();
  for (const place of inside) maps.set(Math.floor(place / count), [...(maps.get(Math.floor(place / count)) ?? []), place]);
  return [...maps.values()].map((found) => ({ kind: "source", places: found }));
}
