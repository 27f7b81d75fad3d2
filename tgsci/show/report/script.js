"use strict";
// Sorting, filtering and jumping. Without this script everything on the page can be read just as well.
// No data ever becomes HTML here: rows are moved and hidden, nothing is built from their text.
(() => {
  const table = document.getElementById("table");
  const filter = document.getElementById("filter");
  const count = document.getElementById("count");
  if (!table || !filter) return;
  const heads = [...table.tHead.rows[0].cells];
  const bodies = [...table.tBodies];

  // -- sorting ------------------------------------------------------------------------------------

  function keyOf(body, column, asNumber) {
    const cell = body.rows[0].cells[column];
    const text = cell.dataset.full ?? cell.textContent.trim();
    if (!asNumber) return text;
    return text === "" ? NaN : Number(text);
  }

  function compare(a, b, asNumber, sign) {
    if (!asNumber) return sign * a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // what is missing stays last
    return sign * ((a > b) - (a < b));
  }

  function sort(head, sign) {
    const column = head.cellIndex;
    const asNumber = "number" in head.dataset;
    const keyed = bodies.map((body) => [keyOf(body, column, asNumber), body]);
    keyed.sort((a, b) => compare(a[0], b[0], asNumber, sign));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const sorted = document.createDocumentFragment();
    for (const [, body] of keyed) sorted.append(body);
    table.append(sorted);
  }

  for (const head of heads) {
    if (head.dataset.key === "picture") continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      sort(head, sign);
      remember((sign < 0 ? "-" : "") + head.dataset.key);
    });
    head.append(button);
  }

  // -- filtering ----------------------------------------------------------------------------------

  let texts = null;

  function apply() {
    const state = filter.elements.state.value;
    const words = filter.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) texts ??= new Map(bodies.map((body) => [body, body.textContent.toLowerCase()]));
    let shown = 0;
    for (const body of bodies) {
      const fits = (!state || body.dataset.state === state) && words.every((word) => texts.get(body).includes(word));
      body.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown === bodies.length ? `${shown} trials` : `${shown} of ${bodies.length} trials`;
  }

  let waiting = 0;
  filter.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  filter.addEventListener("submit", (event) => event.preventDefault());

  // -- the address: #trial-17 opens a trial, #sort=loss or #sort=-loss sorts ------------------------

  function remember(order) {
    history.replaceState(null, "", "#sort=" + encodeURIComponent(order));
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return "";
    }
  }

  function go() {
    const hash = decoded(location.hash.slice(1));
    if (hash.startsWith("sort=")) {
      const descending = hash.startsWith("sort=-");
      const head = heads.find((one) => one.dataset.key === hash.slice(descending ? 6 : 5));
      if (head) sort(head, descending ? -1 : 1);
      return;
    }
    const target = /^trial-\d+$/.test(hash) && document.getElementById(hash);
    if (!target) return;
    if (target.hidden) {
      filter.reset();
      apply();
    }
    target.querySelector("details").open = true;
    target.scrollIntoView({ block: "center" });
  }

  filter.hidden = false;
  apply();
  go();
  addEventListener("hashchange", go);
  document.documentElement.classList.add("js");
})();
