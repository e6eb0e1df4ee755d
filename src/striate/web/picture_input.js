// Where a picture comes from: the pad, a file that is dropped or chosen, the camera.
import { button, element } from "./elements.js";
import { short } from "./numbers.js";
import { centred, fitted, lightness, rawOf } from "./preprocess.js";
import { Sketch } from "./sketch.js";

/** Draw the input of pictures into `room`; `give(raw, steps)` gets the numbers and what was done to the picture. */
export function pictureInput(room, info, give) {
  const [channels, rows, columns] = info.inputShape, size = [columns, rows], { level, light } = lightness(info);
  const { mean, scale } = info.layers[0].rule, plain = mean.every((m) => m === 0) && scale.every((s) => s === 1);
  const options = { centre: channels === 1 && Math.max(rows, columns) <= 64, invert: false };
  const told = (steps) => (plain ? steps : [...steps, `(x − ${short(mean[0])}) × ${short(scale[0])} for every value${channels > 1 ? " of the first channel" : ""}`]);
  let current = null;
  const sketch = new Sketch(info.inputShape, (canvas) => use({ canvas }));
  const use = (picture) => {
    current = picture;
    if (picture.canvas) {
      const moved = options.centre ? centred(picture.canvas, size) : { canvas: picture.canvas, steps: [] };
      const { image, steps } = fitted(moved.canvas, picture.canvas.width, picture.canvas.height, size, "stretch");
      return give(rawOf(image, channels, level, light !== options.invert), told([...moved.steps, ...steps]));
    }
    const { image, steps } = fitted(picture.bitmap, picture.width, picture.height, size, info.fit);
    give(rawOf(image, channels, level, options.invert), told(steps));
  };
  const tick = (name, text) => element("label", { class: "tick" }, element("input", { type: "checkbox", checked: options[name], onchange: (event) => {
    options[name] = event.target.checked;
    if (current) use(current);
  } }), text);
  const message = element("p", { class: "hint", role: "status" });
  const read = async (file) => {
    try {
      const bitmap = await createImageBitmap(file);
      message.textContent = file.name ?? "";
      use({ bitmap, width: bitmap.width, height: bitmap.height });
    } catch {
      message.textContent = `${file.name}: cannot be read as a picture.`;
    }
  };
  const file = element("input", { type: "file", accept: "image/*", class: "hidden", "aria-label": "picture", onchange: () => file.files[0] && read(file.files[0]) });
  const tools = element("div", { class: "choices" }, button("open a picture", () => file.click()), camera(use, message), file);
  dropping(document.body, read);
  sketch.tools.append(...tools.childNodes);
  room.append(sketch.canvas, sketch.tools, element("div", { class: "choices" }, tick("centre", "centre drawings"), tick("invert", "swap light and dark")), message);
  return { read, sketch };
}

function dropping(area, read) {
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const item = [...event.clipboardData.items].find((found) => found.type.startsWith("image/"));
    if (item) read(item.getAsFile());
  });
}

/** Return a button that lets the camera give a picture several times a second; null where there is no camera. */
function camera(use, message) {
  if (location.protocol === "file:" || !navigator.mediaDevices?.getUserMedia) return null;
  const video = document.createElement("video");
  let stream = null;
  const look = () => {
    if (!stream) return;
    if (video.videoWidth) use({ bitmap: video, width: video.videoWidth, height: video.videoHeight });
    setTimeout(() => requestAnimationFrame(look), 60);
  };
  const toggle = button("camera", async () => {
    if (stream) {
      stream.getTracks().forEach((track) => track.stop());
      stream = null;
    } else {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: true });
        video.srcObject = stream;
        await video.play();
        look();
      } catch {
        message.textContent = "The camera cannot be used: permission was refused, or there is none.";
      }
    }
    toggle.setAttribute("aria-pressed", String(stream !== null));
  }, { "aria-pressed": "false" });
  return toggle;
}
