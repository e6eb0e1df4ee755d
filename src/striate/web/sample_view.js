// A sample as the network sees it: a picture, curves, words, or a bar for each feature of a table.
import { colour } from "./colours.js";
import { paintCurves } from "./curve_view.js";
import { element } from "./elements.js";
import { drawBars } from "./feature_bars.js";
import { range, short } from "./numbers.js";
import { paintPicture } from "./picture_view.js";
import { decoded } from "./text_input.js";

const SIDE = 200, MOST_CURVES = 4, MOST_BARS = 60, CURVE = [300, 64], THUMB = [76, 44];

/** Return the name of a feature of a table. */
export function featureName(info, n) {
  return info.features?.[n] ?? `feature ${n}`;
}

/** Return the first channels of a series, one array each. */
export function channelsOf(info, raw) {
  const [channels, length] = info.inputShape;
  return Array.from({ length: Math.min(channels, MOST_CURVES) }, (_, c) => raw.subarray(c * length, (c + 1) * length));
}

/** Return a sample in small, for a button; of a table or a text only its label. */
export function thumbnail(info, raw, label) {
  if (info.input === "table" || info.input === "text") return element("span", { class: "label", text: label });
  const canvas = element("canvas", { width: THUMB[0], height: THUMB[1] });
  if (info.input === "series") paintCurves(canvas, channelsOf(info, raw), range(raw));
  else paintPicture(canvas, info.inputShape, raw, null);
  return canvas;
}

/** Shows a sample, and what speaks for a score. */
export class SampleView {
  constructor(info) {
    this.info = info;
    this.room = element("div", { class: "seen" });
    this.draw = { table: this._table, series: this._series, text: this._text }[info.input] ?? this._picture;
  }

  show(raw, map) {
    this.draw(raw, map);
  }

  _picture(raw, map) {
    const canvas = this.room.firstChild ?? element("canvas", { role: "img", "aria-label": "what the network sees" });
    paintPicture(canvas, this.info.inputShape, raw, map);
    const most = Math.max(canvas.width, canvas.height);
    canvas.style.width = `${(SIDE * canvas.width) / most}px`;
    canvas.style.height = `${Math.max(12, (SIDE * canvas.height) / most)}px`;
    this.room.replaceChildren(canvas);
  }

  _series(raw, map) {
    const maps = map && channelsOf(this.info, map);
    this.room.replaceChildren(...channelsOf(this.info, raw).map((curve, c) => {
      const canvas = element("canvas", { class: "curve", width: CURVE[0], height: CURVE[1], role: "img", "aria-label": `channel ${c} as the network sees it` });
      paintCurves(canvas, [curve], range(curve), maps && maps[c]);
      return canvas;
    }));
  }

  _table(raw, map) {
    const { mean, scale } = this.info.layers[0].rule, count = Math.min(raw.length, MOST_BARS);
    const names = Array.from({ length: count }, (_, i) => featureName(this.info, i));
    const numbers = map ?? raw.map((value, i) => (value - mean[i % mean.length]) * scale[i % scale.length]);
    drawBars(this.room, names, numbers.slice(0, count), map ? undefined : Array.from(raw.slice(0, count), (value, i) => `${short(Number(value.toPrecision(4)))} → ${numbers[i].toFixed(2)}`));
  }

  _text(raw, map) {
    const most = map ? Math.max(...range(map).map(Math.abs)) || 1 : 1;
    this.room.replaceChildren(element("p", { class: "words" }, ...decoded(raw, this.info).flatMap((word, n) => {
      const node = element("span", { text: word || "·", title: map ? `position ${n}: ${short(Number(map[n].toPrecision(4)))}` : `position ${n}: symbol ${raw[n]}` });
      if (map) node.style.background = `rgb(${colour(map[n] / most, true).join(" ")} / 55%)`;
      return [node, " "];
    })));
  }
}
