// Loss, and accuracy or error, against the steps, drawn by uPlot.
import { element } from "./elements.js";

const HEIGHT = 170;
/* global uPlot */

export class Curves {
  /** `score` is {title, factor}: what the second plot shows, and what its numbers are multiplied by. */
  constructor(room, score) {
    Object.assign(this, { room, score });
    this.places = [element("div", {}), element("div", {})];
    this.plotted = element("div", { class: "curves", role: "img", "aria-label": "loss and score, still empty" }, ...this.places);
    room.append(this.plotted);
    this.clear();
    new ResizeObserver(() => this.resize()).observe(room);
  }

  clear() {
    this.points = []; // [step, loss, validation loss, score, validation score]
    this.plots?.forEach((plot) => plot.setData([[], [], []]));
  }

  progress({ step, loss, score }) {
    this._add(step, 1, loss, 3, score);
  }

  validation({ step, loss, score }) {
    this._add(step, 2, loss, 4, score);
    this.plotted.setAttribute("aria-label", `after step ${step}: validation loss ${loss.toFixed(3)}, ${this.score.title} ${(this.score.factor * score).toPrecision(3)}`);
  }

  _add(step, first, loss, second, score) {
    let point = this.points.at(-1);
    if (!point || point[0] !== step) this.points.push((point = [step, null, null, null, null]));
    point[first] = loss;
    point[second] = score === null ? null : this.score.factor * score;
  }

  resize() {
    const width = Math.floor(Math.min(430, Math.max(200, this.room.clientWidth >= 560 ? this.room.clientWidth / 2 - 8 : this.room.clientWidth)));
    this.plots ??= ["loss", this.score.title].map((title, i) => this._plot(this.places[i], title, width));
    this.plots.forEach((plot) => plot.setSize({ width, height: HEIGHT }));
  }

  _plot(room, title, width) {
    const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const space = (_, __, low, high) => 24 + 7 * Math.round(high).toLocaleString("en").length; // of a label, in pixels
    const line = (label, name) => ({ label, stroke: colour(name), width: 1.6, spanGaps: true, points: { show: false }, value: (_, v) => (v === null ? "–" : v.toFixed(3)) });
    return new uPlot({ title, width, height: HEIGHT, scales: { x: { time: false } }, legend: { live: false }, cursor: { drag: { x: false, y: false } },
      axes: [{ ...axis, space }, { ...axis, size: 44 }], series: [{ label: "step" }, line("training", "--blue"), line("validation", "--mark")] }, [[], [], []], room);
  }

  draw() {
    const column = (i) => this.points.map((point) => point[i]);
    this.plots?.[0].setData([column(0), column(1), column(2)]);
    this.plots?.[1].setData([column(0), column(3), column(4)]);
  }
}
