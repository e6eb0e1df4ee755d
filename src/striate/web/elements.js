// Elements of the page, made of text that is never read as HTML.

/** Return an element with attributes (`class`, `text`, `on...` functions among them) and children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return a button. */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", text, onclick, ...attributes });
}

/** Return a row of buttons of which one is pressed; `choose(value)` is called with its value. */
export function choices(label, options, chosen, choose) {
  const row = element("div", { class: "choices", role: "group", "aria-label": label });
  for (const [value, text] of options) {
    row.append(button(text, () => {
      for (const other of row.children) other.setAttribute("aria-pressed", String(other.value === value));
      choose(value);
    }, { value, "aria-pressed": String(value === chosen) }));
  }
  return row;
}

/** Return a selection field with a label. */
export function select(label, options, chosen, choose) {
  const field = element("select", { onchange: () => choose(field.value) });
  for (const [value, text] of options) field.append(element("option", { value, text, selected: value === chosen }));
  return element("label", { class: "field" }, element("span", { text: label }), field);
}
