// The kernels of the first convolution as small pictures.
import { element } from "./elements.js";
import { layoutOf, paintSheet } from "./sheet.js";

/** Draw the kernels of the first convolution of a plan. */
export function drawFilters(room, plan, parameters) {
  const slot = plan.parameters.find(({ name, shape }) => name.endsWith("weight") && shape.length > 2);
  if (!slot) return room.replaceChildren();
  const [maps, channels] = slot.shape, width = slot.shape.at(-1), height = slot.shape.length === 4 ? slot.shape[2] : 1, shape = [maps, channels * height, width];
  if (!room.firstChild) room.append(element("h3", { text: "Filters of the first convolution" }), element("canvas", { role: "img", "aria-label": "filters" }));
  const layout = layoutOf(shape, Math.max(80, room.clientWidth), maps, 50);
  paintSheet(room.querySelector("canvas"), parameters.subarray(slot.offset, slot.offset + maps * channels * height * width), layout, true);
}
