/** Small things every component needs: elements made, text set only when it changed, tables whose rows stay the same nodes. */

/** An element with attributes and children; `text` sets its text, `on…` a listener. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set text if it is another one now, so that nothing is laid out anew for nothing. */
export function put(node, text) {
  const said = String(text);
  if (node.textContent !== said) node.textContent = said;
}

/** Set an attribute if it is another one now; null takes it away. */
export function mark(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export const byId = (id) => document.getElementById(id);

/**
 * A table whose rows are kept by key and updated in place.
 * @param columns [{title, class, text?(row), fill?(cell, row)}]
 */
export class Table {
  constructor(place, columns, { key, label = "", onRow = null, empty = "" }) {
    this.columns = columns;
    this.key = key;
    this.onRow = onRow;
    this.rows = new Map();
    this.body = h("tbody");
    this.none = h("p", { class: "none", text: empty });
    const heads = columns.map((c) => h("th", { scope: "col", class: c.class, text: c.title }));
    this.table = h("table", { "aria-label": label }, h("thead", {}, h("tr", {}, ...heads)), this.body);
    place.replaceChildren(this.table, this.none);
  }

  /** Show these rows in this order; a node is made only for a row that was not there. */
  show(rows) {
    const keep = new Set();
    let before = null;
    for (const row of rows) {
      const key = String(this.key(row));
      keep.add(key);
      const node = this.rows.get(key) ?? this.made(key, row);
      this.fill(node, row);
      const place = before ? before.nextSibling : this.body.firstChild;
      if (node !== place) this.body.insertBefore(node, place);
      before = node;
    }
    for (const [key, node] of this.rows) {
      if (keep.has(key)) continue;
      node.remove();
      this.rows.delete(key);
    }
    this.none.hidden = rows.length > 0;
    this.table.hidden = rows.length === 0;
  }

  made(key, row) {
    const node = h("tr", {}, ...this.columns.map((c) => h("td", { class: c.class })));
    if (this.onRow) {
      node.tabIndex = 0;
      node.classList.add("link");
      const open = () => this.onRow(node.row);
      node.addEventListener("click", open);
      node.addEventListener("keydown", (event) => event.key === "Enter" && open());
    }
    node.row = row;
    this.rows.set(key, node);
    return node;
  }

  fill(node, row) {
    node.row = row;
    this.columns.forEach((column, i) => {
      const cell = node.children[i];
      if (column.fill) column.fill(cell, row);
      else put(cell, column.text(row));
    });
  }
}
