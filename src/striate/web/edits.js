// What the user changed, and the way back: the last change is undone first.
import { button, element } from "./elements.js";

export class Edits {
  constructor() {
    this.stack = [];
    this.undoButton = button("undo", () => this.undo(), { disabled: true, title: "Ctrl+Z" });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.target.matches("input, textarea")) {
        event.preventDefault();
        this.undo();
      }
    });
  }

  /** Remember how to take a change back. */
  push(undo) {
    this.stack.push(undo);
    this.undoButton.disabled = false;
  }

  async undo() {
    const last = this.stack.pop();
    this.undoButton.disabled = this.stack.length === 0;
    if (last) await last();
  }
}

/** Ask for a number in place of `value`; resolves with null where nothing is to change. */
export function ask(text, value) {
  return new Promise((resolve) => {
    const field = element("input", { type: "number", step: "any", value, "aria-label": text });
    const dialog = element("dialog", { "aria-label": text }, element("form", { method: "dialog" },
      element("label", { class: "field" }, element("span", { text }), field),
      element("div", { class: "choices" }, element("button", { value: "set", text: "set" }), element("button", { value: "zero", text: "set to 0" }), element("button", { value: "", text: "cancel" }))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      const chosen = dialog.returnValue === "zero" ? 0 : Number(field.value);
      resolve(["set", "zero"].includes(dialog.returnValue) && Number.isFinite(chosen) && field.value !== "" ? chosen : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  });
}
