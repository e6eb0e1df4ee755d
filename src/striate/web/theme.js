// Light or dark: as the system has it, until the visitor changes it.
import { button } from "./elements.js";

/** Return a button that changes between light and dark; `changed` draws what is not drawn by style sheets. */
export function theme(changed) {
  return button("light / dark", () => {
    const now = getComputedStyle(document.documentElement).getPropertyValue("--name").trim();
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
    changed();
  });
}
