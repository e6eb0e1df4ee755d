// Input that cannot be entered by hand: texts, volumes, arrays.
import { button, element } from "./elements.js";

/** Say what the page cannot take, and offer random numbers. */
export function otherInput(room, info, give, begin) {
  const { mean, scale } = info.layers[0].rule, text = info.input === "text";
  const hint = text
    ? "This network reads symbols of a text, which cannot be typed in here. Use the samples, or striate predict."
    : `This network takes ${info.inputShape.join(" × ")} numbers. Use the samples, or random numbers.`;
  room.append(element("p", { class: "hint", text: hint }));
  if (!text) {
    room.append(button("random numbers", () => {
      begin();
      give(Float32Array.from({ length: info.values }, (_, i) => {
        const c = Math.floor((i / info.values) * mean.length);
        return mean[c] + (2 * Math.random() - 1) * (1.7 / scale[c]);
      }), []);
    }));
  }
  return {};
}
