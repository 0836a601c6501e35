"use strict";
// The page of a model's figure: choose a box and see its layers. No library, no network.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const details = document.getElementById("details");
  const pane = document.getElementById("figure");
  const svg = pane.querySelector("svg");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const nodes = new Map(
    data.boxes.map((box) => [box.id, svg.querySelector(`#${box.id}`)]).filter(([, node]) => node),
  );
  const boxes = data.boxes.filter((box) => nodes.has(box.id));
  let chosen = null;

  const element = (tag, text = "", className = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const number = (value) => (value === null ? "not counted" : value.toLocaleString("en-US"));

  // Details

  function table(layers, marked) {
    const made = element("table");
    const head = made.createTHead().insertRow();
    for (const [title, className] of [
      ["layer", ""], ["what", ""], ["output", ""], ["parameters", "number"], ["multiply-adds", "number"],
    ]) head.append(element("th", title, className));
    const body = made.createTBody();
    for (const layer of layers) {
      const row = body.insertRow();
      row.dataset.layer = layer.name;
      row.append(
        element("td", layer.name), element("td", layer.what), element("td", layer.shape, "shape"),
        element("td", number(layer.params), "number"), element("td", number(layer.macs), "number"),
      );
      if (layer.name === marked) row.className = "marked";
    }
    return made;
  }

  function parts(box, marked, heading) {
    return [
      element(heading, box.title),
      element("p", [box.stage, box.price].filter(Boolean).join(" · "), "note"),
      table(box.layers, marked),
    ];
  }

  function overview() {
    const hints = element("p", "", "note");
    hints.innerHTML =
      "Click a box to see its layers. Drag to move, scroll to zoom. Keys: <kbd>↑</kbd> <kbd>↓</kbd> " +
      "box by box, <kbd>/</kbd> search, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>Esc</kbd> back here.";
    const rows = element("table");
    const head = rows.createTHead().insertRow();
    for (const [title, className] of [
      ["box", ""], ["output", ""], ["parameters", "number"], ["multiply-adds", "number"],
    ]) head.append(element("th", title, className));
    const body = rows.createTBody();
    for (const box of new Map(boxes.map((one) => [one.title, one])).values()) {
      const row = body.insertRow();
      row.className = "link";
      row.addEventListener("click", () => choose(box.id));
      row.append(
        element("td", box.title), element("td", box.shape, "shape"),
        element("td", number(box.params), "number"), element("td", number(box.macs), "number"),
      );
    }
    const total = rows.createTFoot().insertRow();
    total.append(
      element("td", `total of ${data.layers} layers`), element("td"),
      element("td", data.params, "number"), element("td", data.macs, "number"),
    );
    details.replaceChildren(element("h2", data.model), hints, rows, element("p", data.convention, "note"));
  }

  function choose(id, layer = null) {
    if (chosen) nodes.get(chosen).classList.remove("chosen");
    chosen = id;
    if (id === null) return overview();
    const box = boxes.find((one) => one.id === id);
    nodes.get(id).classList.add("chosen");
    details.replaceChildren(...parts(box, layer ?? box.marked, "h2"), element("p", data.convention, "note"));
    details.scrollTop = 0;
    details.querySelector("tr.marked")?.scrollIntoView({ block: "nearest" });
    show(nodes.get(id));
  }

  function step(by) {
    const at = boxes.findIndex((box) => box.id === chosen);
    const next = boxes[Math.min(Math.max(at + by, 0), boxes.length - 1)];
    choose(next.id);
    nodes.get(next.id).focus({ preventScroll: true });
  }

  // Zoom and pan, by the view box

  const whole = svg.viewBox.baseVal;
  const all = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  let view = { ...all };
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("preserveAspectRatio", "xMidYMin meet");

  function look(next) {
    view = next;
    svg.setAttribute("viewBox", [view.x, view.y, view.width, view.height].join(" "));
  }

  function begin() {
    // As wide as the pane, at most a little enlarged, from the top.
    const size = pane.getBoundingClientRect();
    if (!size.width || !size.height) return;
    const width = Math.max(all.width, size.width / 1.3);
    const height = (width * size.height) / size.width;
    if (height >= all.height) return look({ ...all });
    look({ x: all.x + (all.width - width) / 2, y: all.y, width, height });
  }

  function zoom(factor, centre = null) {
    if (factor === "fit") return look({ ...all });
    const limit = Math.max(all.width, all.height) * 2;
    const width = Math.min(Math.max(view.width / factor, 40), limit);
    const scale = width / view.width;
    const at = centre ?? { x: view.x + view.width / 2, y: view.y + view.height / 2 };
    look({
      x: at.x - (at.x - view.x) * scale, y: at.y - (at.y - view.y) * scale,
      width, height: view.height * scale,
    });
  }

  const point = (event) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

  function show(node) {
    // Move the view only if the box is not in it.
    const size = node.getBoundingClientRect();
    const frame = pane.getBoundingClientRect();
    const inside = size.top >= frame.top && size.bottom <= frame.bottom
      && size.left >= frame.left && size.right <= frame.right;
    if (inside) return;
    const middle = point({ clientX: size.left + size.width / 2, clientY: size.top + size.height / 2 });
    look({ ...view, x: middle.x - view.width / 2, y: middle.y - view.height / 2 });
  }

  pane.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 500), point(event));
  }, { passive: false });

  let drag = null;
  pane.addEventListener("pointerdown", (event) => {
    if (event.button === 0) drag = { from: point(event), moved: false, x: event.clientX, y: event.clientY };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.moved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4;
    if (!drag.moved) return;
    pane.classList.add("dragged");
    const at = point(event);
    look({ ...view, x: view.x + drag.from.x - at.x, y: view.y + drag.from.y - at.y });
  });
  window.addEventListener("pointerup", () => {
    pane.classList.remove("dragged");
    const moved = drag?.moved;
    drag = null;
    if (moved) pane.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    const by = button.dataset.zoom;
    button.addEventListener("click", () => zoom(by === "fit" ? by : Number(by)));
  }

  // Boxes

  for (const anchor of svg.querySelectorAll("a")) anchor.removeAttribute("href");
  for (const box of boxes) {
    const node = nodes.get(box.id);
    node.classList.add("box");
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", [box.title, box.price].filter(Boolean).join(", "));
    node.addEventListener("click", () => choose(box.id));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(box.id);
    });
  }

  // Search

  const names = boxes.flatMap((box) => box.layers.map((layer) => ({ name: layer.name, box: box.id })))
    .filter((entry, index, list) => list.findIndex((other) => other.name === entry.name) === index);
  let hits = [], at = 0;

  function list() {
    const words = search.value.trim().toLowerCase();
    hits = words ? names.filter((entry) => entry.name.toLowerCase().includes(words)).slice(0, 200) : [];
    at = 0;
    found.replaceChildren(...hits.map((entry, index) => {
      const item = element("li", entry.name, index === at ? "chosen" : "");
      item.addEventListener("click", () => take(entry));
      return item;
    }));
    if (words && !hits.length) found.append(element("li", "no layer has this in its name", "none"));
    found.hidden = !words;
  }
  function take(entry) {
    const own = boxes.find((box) => box.marked === entry.name) ?? { id: entry.box };
    choose(own.id, entry.name);
    found.hidden = true;
  }
  search.addEventListener("input", list);
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), Math.max(hits.length - 1, 0));
      [...found.children].forEach((item, index) => item.classList.toggle("chosen", index === at));
      found.children[at]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && hits[at]) {
      take(hits[at]);
    }
  });

  // Keys

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      search.value = "";
      found.hidden = true;
      search.blur();
      choose(null);
    } else if (event.target !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const acts = {
        "/": () => search.focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8),
        0: () => zoom("fit"), ArrowDown: () => step(1), ArrowUp: () => step(-1),
      };
      if (event.key in acts) {
        event.preventDefault();
        acts[event.key]();
      }
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("search")) found.hidden = true;
  });

  // Print: all of the figure, then all layers.

  let before = null;
  window.addEventListener("beforeprint", () => { before = view; look({ ...all }); });
  window.addEventListener("afterprint", () => { if (before) look(before); });
  const printed = new Map();
  for (const box of boxes) printed.set(box.title, box);
  document.getElementById("all").append(...[...printed.values()].map((box) => {
    const section = element("section");
    section.append(...parts(box, null, "h3"));
    return section;
  }), element("p", data.convention, "note"));

  document.getElementById("totals").textContent = data.headline;
  begin();
  overview();
})();
