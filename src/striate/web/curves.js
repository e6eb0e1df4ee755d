// Loss and accuracy against the steps, drawn by uPlot.
import { element } from "./elements.js";

const HEIGHT = 170;
/* global uPlot */

export class Curves {
  constructor(room) {
    this.room = room;
    this.loss = element("div", {});
    this.accuracy = element("div", {});
    room.append(element("div", { class: "curves" }, this.loss, this.accuracy));
    room.setAttribute("role", "img");
    this.clear();
    new ResizeObserver(() => this.resize()).observe(room);
  }

  clear() {
    this.points = []; // [step, loss, validation loss, accuracy, validation accuracy]
    this.plots?.forEach((plot) => plot.setData([[], [], []]));
  }

  progress({ step, loss, accuracy }) {
    this._add(step, 1, loss, 3, accuracy);
  }

  validation({ step, loss, accuracy }) {
    this._add(step, 2, loss, 4, accuracy);
    this.room.setAttribute("aria-label", `after step ${step}: validation loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)} percent`);
  }

  _add(step, first, loss, second, accuracy) {
    let point = this.points.at(-1);
    if (!point || point[0] !== step) this.points.push((point = [step, null, null, null, null]));
    point[first] = loss;
    point[second] = 100 * accuracy;
  }

  resize() {
    const width = Math.floor(Math.min(430, Math.max(200, this.room.clientWidth >= 560 ? this.room.clientWidth / 2 - 8 : this.room.clientWidth)));
    if (!this.plots) this.plots = [this._plot(this.loss, "loss", width), this._plot(this.accuracy, "accuracy, %", width)];
    this.plots.forEach((plot) => plot.setSize({ width, height: HEIGHT }));
  }

  _plot(room, title, width) {
    const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const line = (label, name) => ({ label, stroke: colour(name), width: 1.6, spanGaps: true, points: { show: false }, value: (_, v) => (v === null ? "–" : v.toFixed(3)) });
    return new uPlot({ title, width, height: HEIGHT, scales: { x: { time: false } }, legend: { live: false }, cursor: { drag: { x: false, y: false } },
      axes: [axis, { ...axis, size: 44 }], series: [{ label: "step" }, line("training", "--blue"), line("validation", "--mark")] }, [[], [], []], room);
  }

  draw() {
    const column = (i) => this.points.map((point) => point[i]);
    this.plots?.[0].setData([column(0), column(1), column(2)]);
    this.plots?.[1].setData([column(0), column(3), column(4)]);
  }
}
