// What the network says: probabilities of classes, or numbers.
import { element } from "./elements.js";
import { short } from "./numbers.js";
import { interpret } from "./reading.js";

const MOST = 12;

/** Return {shown, verdict, index} for the outputs of a model: numbers to be drawn, and a sentence. */
export function meaning(info, outputs) {
  const found = interpret(info, outputs);
  if (found.values) return { shown: found.values, verdict: found.values.slice(0, 4).map(short).join(", "), index: 0, share: false };
  if (found.labels) return { shown: found.probabilities, verdict: found.labels.join(", ") || "none", index: found.probabilities.indexOf(Math.max(...found.probabilities)), share: true };
  return { shown: found.probabilities, verdict: `${found.label}, ${percent(found.probability)}`, index: found.index, share: true };
}

/** Return a probability as text. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** Draw bars for what a network says into `room`; `choose(number)` is called for the one that is clicked. */
export function drawOutputs(room, info, found, target, choose) {
  const order = found.shown.map((_, k) => k), names = info.classes, most = found.share ? 1 : Math.max(...found.shown.map(Math.abs)) || 1;
  if (order.length > MOST) order.sort((a, b) => found.shown[b] - found.shown[a]);
  room.replaceChildren(...order.slice(0, MOST).map((k) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `${Math.min(100, (100 * Math.abs(found.shown[k])) / most)}%`;
    const text = found.share ? percent(found.shown[k]) : short(found.shown[k]);
    return element("button", { type: "button", class: "score", "aria-pressed": String(k === target), onclick: () => choose(k),
      title: "ask what speaks for this one" }, element("span", { class: "name", text: names[k] ?? String(k) }), element("span", { class: "track" }, bar), element("span", { class: "amount", text }));
  }));
}
