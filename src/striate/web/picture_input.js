// Where a picture comes from: the pad, a file that is dropped, pasted or chosen, the camera.
import { button, element } from "./elements.js";
import { short } from "./numbers.js";
import { centred, fitted, lightness, rawOf } from "./preprocess.js";
import { Sketch } from "./sketch.js";

/** Draw the input of pictures into `room`; `give(raw, steps)` gets the numbers and what was done, `begin()` is called before a change. */
export function pictureInput(room, info, give, begin) {
  const [channels, rows, columns] = info.inputShape, size = [columns, rows], { level, light } = lightness(info);
  const { mean, scale } = info.layers[0].rule, plain = mean.every((m) => m === 0) && scale.every((s) => s === 1);
  const options = { centre: channels === 1 && Math.max(rows, columns) <= 64, invert: false };
  let done = []; // what was done to the picture on the pad
  const sketch = new Sketch(info.inputShape, level, light ? { paper: "#ffffff", ink: "#000000" } : { paper: "#000000", ink: "#ffffff" }, () => use(), begin);
  const use = () => {
    const moved = options.centre && !sketch.base ? centred(sketch.strokes, size) : { canvas: sketch.strokes, steps: [] };
    const { image, steps } = fitted(moved.canvas, sketch.strokes.width, sketch.strokes.height, size, "stretch", null);
    const raw = sketch.raw(image), all = sketch.base ? [...done] : [...moved.steps, ...(sketch.drawn ? steps : [])];
    if (options.invert) all.push("light and dark swapped");
    if (!plain) all.push(`(x − ${short(mean[0])}) × ${short(scale[0])} for every value${channels > 1 ? " of the first channel" : ""}`);
    give(options.invert ? raw.map((value) => level - value) : raw, all);
  };
  const take = (picture, width, height) => {
    const { image, steps } = fitted(picture, width, height, size, info.fit);
    done = steps;
    sketch.show(rawOf(image, channels, level));
    use();
  };
  const message = element("p", { class: "hint", role: "status" });
  const read = async (file) => {
    try {
      const bitmap = await createImageBitmap(file);
      message.textContent = file.name ?? "";
      begin();
      take(bitmap, bitmap.width, bitmap.height);
    } catch {
      message.textContent = `${file.name || "What was pasted"}: cannot be read as a picture. Use PNG, JPEG, WebP or GIF.`;
    }
  };
  const tick = (name, text) => element("label", { class: "tick" }, element("input", { type: "checkbox", checked: options[name], onchange: (event) => {
    options[name] = event.target.checked;
    use();
  } }), text);
  const file = element("input", { type: "file", accept: "image/*", class: "hidden", "aria-label": "picture", onchange: () => file.files[0] && read(file.files[0]) });
  sketch.tools.append(...[channels === 3 ? penColour(sketch) : null, button("open a picture", () => file.click()), camera(take, begin, message), file].filter(Boolean));
  dropping(document.body, read);
  room.append(sketch.canvas, sketch.tools, element("div", { class: "choices" }, options.centre ? tick("centre", "centre drawings") : "", tick("invert", "swap light and dark")), message);
  return {
    read,
    start: sketch.raw(new ImageData(columns, rows)),
    show: (raw) => {
      done = [];
      sketch.show(raw);
    },
    remember: () => {
      const restore = sketch.remember(), before = done;
      return () => {
        done = before;
        restore();
      };
    },
  };
}

function penColour(sketch) {
  return element("label", { class: "tick" }, element("input", { type: "color", value: sketch.ink, oninput: (event) => { sketch.ink = event.target.value; } }), "pen");
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
function camera(take, begin, message) {
  if (location.protocol === "file:" || !navigator.mediaDevices?.getUserMedia) return null;
  const video = document.createElement("video");
  let stream = null;
  const look = () => {
    if (!stream) return;
    if (video.videoWidth) take(video, video.videoWidth, video.videoHeight);
    setTimeout(() => requestAnimationFrame(look), 60);
  };
  const start = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
      video.srcObject = stream;
      await video.play();
      begin();
      look();
    } catch {
      message.textContent = "The camera cannot be used: permission was refused, or there is none.";
    }
  };
  const toggle = button("camera", async () => {
    if (stream) {
      stream.getTracks().forEach((track) => track.stop());
      stream = null;
    } else await start();
    toggle.setAttribute("aria-pressed", String(stream !== null));
  }, { "aria-pressed": "false" });
  return toggle;
}
