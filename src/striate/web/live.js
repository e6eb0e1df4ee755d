// The curves of a run that is training: one chart for the loss, one for each other measure, as epochs come in.
import { element } from "./elements.js";

const WIDTH = 320, HEIGHT = 120, LEFT = 44, BELOW = 18, SPACE = "http://www.w3.org/2000/svg";
const SHOWN = {
  loss: { train: "loss", validation: "val_loss" },
  accuracy: { train: "accuracy", validation: "val_accuracy" },
  "learning rate": { rate: "learning_rate" },
};

/** Follow the log of the run. */
export function startLive(place) {
  const epochs = [], status = element("p", { class: "hint", role: "status", "aria-live": "polite" }), charts = element("div", { class: "charts" });
  place.hidden = false;
  place.replaceChildren(element("h2", { text: "Training" }), status, charts);
  const events = new EventSource("/live");
  for (const event of ["open", "again"]) events.addEventListener(event, () => epochs.splice(0)); // all entries follow
  events.onmessage = ({ data }) => {
    const entry = JSON.parse(data);
    if (entry.event === "epoch") epochs.push(entry);
    status.textContent = words(entry);
    draw(charts, epochs);
  };
  events.onerror = () => { // a browser connects again by itself, unless the server refuses
    const refused = events.readyState === EventSource.CLOSED;
    status.textContent = refused ? "The server was restarted or is busy. Open the address that it printed." : "The server does not answer; trying again ...";
  };
}

function words(entry) {
  if (entry.event === "epoch") return `epoch ${entry.epoch} of the run is done`;
  return { start: "training has begun", resume: "training goes on", stop: `training stopped: ${entry.reason ?? ""}`, diverged: "training diverged", end: "training is over" }[entry.event] ?? entry.event;
}

/** Return {measure: {part: [[epoch, value], ...]}} of the entries of epochs. */
export function measures(epochs) {
  const found = {};
  for (const entry of epochs) {
    for (const [measure, parts] of Object.entries(SHOWN)) {
      for (const [part, key] of Object.entries(parts)) {
        if (typeof entry[key] === "number") ((found[measure] ??= {})[part] ??= []).push([entry.epoch, entry[key]]);
      }
    }
  }
  return found;
}

function draw(charts, epochs) {
  charts.replaceChildren(...Object.entries(measures(epochs)).map(([measure, parts]) => chart(measure, parts)));
}

function chart(measure, parts) {
  const points = Object.values(parts).flat(), values = points.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)], last = Math.max(...points.map(([epoch]) => epoch), 2);
  const x = (epoch) => LEFT + ((epoch - 1) / (last - 1)) * (WIDTH - LEFT - 4);
  const y = (value) => 6 + (1 - (value - low) / (high - low || 1)) * (HEIGHT - BELOW - 6);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${measure} by epoch, ${low.toPrecision(3)} to ${high.toPrecision(3)}` });
  for (const [value, baseline] of [[high, "hanging"], [low, "auto"]]) {
    svg.append(text(LEFT - 4, y(value), brief(value), "end", baseline));
  }
  svg.append(text(LEFT, HEIGHT - 2, "1", "start", "auto"), text(WIDTH - 4, HEIGHT - 2, String(last), "end", "auto"));
  for (const [part, line] of Object.entries(parts)) {
    svg.append(shape("polyline", { class: part, points: line.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
    const [epoch, value] = line[line.length - 1];
    svg.append(shape("circle", { class: part, cx: x(epoch), cy: y(value), r: 2.5 }));
  }
  const caption = element("figcaption", {}, element("b", { text: measure }));
  for (const [part, line] of Object.entries(parts)) caption.append(element("span", { class: part, text: `${part} ${brief(line[line.length - 1][1], 4)}` }));
  return element("figure", {}, caption, svg);
}

/** Return a number in so few digits that it fits beside a chart. */
function brief(value, digits = 3) {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(digits);
}

function shape(name, attributes) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(x, y, words, anchor, baseline) {
  const made = shape("text", { x, y, "text-anchor": anchor, "dominant-baseline": baseline });
  made.textContent = words;
  return made;
}
