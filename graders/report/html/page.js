// The report's script. It adds: light and dark by hand, tables of rows that can be filtered,
// sorted and opened, and details that are open in print. All text goes in by textContent, because
// whatever the data holds was written by models; nothing is stored and nobody is asked.
"use strict";
(() => {
  const root = document.querySelector(".graders");
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 25;

  // What would hide or reorder text is shown as its escape: as markup.py does it.
  const HIDES = /([^\P{C}\n\t]|[\u2028\u2029])/u;
  const escapeOf = (c) => {
    if (c === "\r") return "\\r";
    const hex = c.codePointAt(0).toString(16);
    return hex.length < 3 ? "\\x" + hex.padStart(2, "0")
      : hex.length < 5 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0");
  };
  const seen = (text) => String(text).split(HIDES).map((c, i) => (i % 2 ? escapeOf(c) : c)).join("");
  const write = (node, text) => {
    String(text).split(HIDES).forEach((part, i) => {
      if (i % 2) node.append(el("span", { className: "hidden-character" }, escapeOf(part)));
      else if (part) node.append(document.createTextNode(part));
    });
    return node;
  };
  const el = (tag, properties, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key.includes("-")) node.setAttribute(key, value);
      else node[key] = value;
    }
    for (const child of children) {
      if (child instanceof Node) node.append(child);
      else if (child != null) node.append(document.createTextNode(child));
    }
    return node;
  };

  const shown = (row, { key, kind }) => {
    const value = row[key];
    if (value == null) return "";
    if (kind !== "number" || typeof value !== "number") return String(value);
    return Math.abs(value) < 1e6 ? value.toFixed(4) : value.toPrecision(4);
  };
  // Nothing is last, whichever way a column is sorted.
  const compare = (key, sign) => (a, b) => {
    const [x, y] = [a[key], b[key]];
    if (x == null || y == null) return (x == null) - (y == null);
    return x === y ? 0 : (x < y ? -sign : sign);
  };
  const choices = (rows, key) => {
    const counts = new Map();
    for (const row of rows) if (row[key] != null && row[key] !== "")
      counts.set(row[key], (counts.get(row[key]) || 0) + 1);
    return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  };

  const rowsTable = (host) => {
    const name = host.dataset.rows;
    const { columns, rows, command } = data[name];
    const table = host.querySelector("table");
    const heads = [...table.tHead.rows[0].cells];
    host.querySelectorAll(".unscripted").forEach((one) => one.remove());
    const numbers = columns.filter((column) => column.kind === "number");
    const usual = numbers.find((column) => column.ranged);
    numbers.sort((a, b) => (b === usual) - (a === usual));
    const nothing = () => ({ text: "", choice: {}, ranged: usual, low: null, high: null });
    const state = { ...nothing(), sort: null, sign: 1, page: 0 };
    const selects = {};
    let found = rows;

    // One string of each row, made when somebody first searches.
    let haystacks = null;
    const haystack = (i) => {
      haystacks = haystacks || rows.map((row) => [
        ...columns.map((column) => shown(row, column)), ...(row.more || []).flat(),
      ].join("\n").toLowerCase());
      return haystacks[i];
    };

    const count = el("p", { className: "soft small", "aria-live": "polite" });
    const place = el("p", { className: "soft small" });
    const turn = (label, by) =>
      el("button", { type: "button", onclick: () => { state.page += by; draw(); } }, label);
    const back = turn("Previous", -1);
    const on = turn("Next", 1);

    const anchor = (row) => `row-${row.row}-${row.sample ?? 0}`;
    // Without a clipboard, it is shown, to copy by hand. What hides is escaped as JSON has it.
    const unit = (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
    const copying = (row) => {
      const button = el("button", { type: "button" }, "Copy as JSON");
      const json = JSON.stringify(row, null, 2)
        .replace(/[^\P{C}\n]|[\u2028\u2029]/gu, (c) => c.split("").map(unit).join(""));
      button.onclick = async () => {
        try {
          await navigator.clipboard.writeText(json);
          button.textContent = "Copied";
        } catch {
          button.replaceWith(write(el("pre", { tabIndex: 0 }), json));
        }
      };
      return button;
    };
    const blocks = (row) => {
      const box = el("div", { className: "more" });
      for (const [label, text] of row.more || []) {
        box.append(write(el("h3"), label), write(el("pre", { tabIndex: 0 }), text));
      }
      if (command) {
        const said = command.map((part, i) => (i % 2 ? row[part] : part)).join("");
        box.append(el("h3", {}, "All of it, graded again"), write(el("pre", { tabIndex: 0 }), said));
      }
      const link = el("a", { href: `#${anchor(row)}` }, "Link to this row");
      box.append(el("div", { className: "links" }, link, copying(row)));
      return box;
    };
    const line = (row, number) => {
      const tr = el("tr", { className: "row", id: anchor(row) });
      const id = `${name}-more-${number}`;
      columns.forEach((column, i) => {
        const cell = el(i ? "td" : "th", i ? {} : { scope: "row" });
        if (i) cell.className = column.kind === "count" ? "number" : column.kind;
        const text = shown(row, column);
        if (i) cell.append(write(el("div", { className: "text" }), text));
        else {
          const button = write(el("button",
            { type: "button", "aria-expanded": "false", "aria-controls": id }), text);
          button.setAttribute("aria-label", `${column.label} ${text}, details`);
          cell.append(button);
        }
        tr.append(cell);
      });
      const more = el("tr", { className: "more", id, hidden: true });
      const button = tr.querySelector("button");
      const toggle = () => {
        more.hidden = !more.hidden;
        button.setAttribute("aria-expanded", String(!more.hidden));
        if (!more.firstChild) more.append(el("td", { colSpan: columns.length }, blocks(row)));
      };
      tr.onclick = (event) => {
        if (event.detail && String(getSelection())) return; // somebody copies, by mouse
        toggle();
      };
      tr.onkeydown = more.onkeydown = (event) => {
        if (event.key !== "Escape" || more.hidden) return;
        toggle();
        button.focus();
      };
      return [tr, more];
    };

    const draw = () => {
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      state.page = Math.min(Math.max(state.page, 0), pages - 1);
      const first = state.page * PAGE;
      const part = found.slice(first, first + PAGE);
      table.tBodies[0].replaceChildren(...part.flatMap((row, i) => line(row, first + i)));
      const all = rows.length.toLocaleString("en");
      count.textContent = found.length === rows.length ? `${all} rows`
        : `${found.length.toLocaleString("en")} of ${all} rows`;
      place.textContent = part.length ? `${first + 1} to ${first + part.length}` : "none";
      back.disabled = state.page === 0;
      on.disabled = state.page === pages - 1;
    };
    const find = () => {
      const words = state.text.toLowerCase();
      found = rows.filter((row, i) => {
        for (const [key, wanted] of Object.entries(state.choice))
          if (wanted && row[key] !== wanted) return false;
        if (state.ranged) {
          const value = row[state.ranged.key];
          if (state.low != null && !(value >= state.low && value != null)) return false;
          if (state.high != null && !(value <= state.high && value != null)) return false;
        }
        return !words || haystack(i).includes(words);
      });
      if (state.sort) found = [...found].sort(compare(state.sort, state.sign));
      state.page = 0;
      draw();
    };

    const form = el("form", { className: "filters", role: "search", "aria-label": "Filter the rows" });
    form.onsubmit = (event) => event.preventDefault();
    const field = (label, control, wide) =>
      form.append(el("label", { className: wide ? "wide" : "" }, label, control));
    const search = el("input", { type: "search", autocomplete: "off" });
    search.oninput = () => { state.text = search.value; find(); };
    field("Find in rows", search, true);
    for (const column of columns.filter((one) => one.kind === "choice")) {
      const select = el("select", {}, el("option", { value: "" }, "any"));
      for (const [value, times] of choices(rows, column.key))
        select.append(el("option", { value }, seen(`${value} (${times})`)));
      select.onchange = () => { state.choice[column.key] = select.value; find(); };
      selects[column.key] = select;
      field(column.label, select);
    }
    const several = usual && numbers.length > 1;
    if (several) {
      const select = el("select", {}, ...numbers.map((one) => el("option", {}, seen(one.label))));
      select.onchange = () => { state.ranged = numbers[select.selectedIndex]; find(); };
      field("Range of", select);
    }
    for (const [end, of] of usual ? [["low", "from"], ["high", "to"]] : []) {
      const input = el("input", { type: "number", step: "any" });
      input.oninput = () => { state[end] = input.value === "" ? null : Number(input.value); find(); };
      field(`${several ? "Range" : usual.label} ${of}`, input);
    }
    const clear = el("button", { type: "button" }, "Show all");
    clear.onclick = () => {
      form.reset();
      Object.assign(state, nothing());
      find();
    };
    form.append(clear);

    heads.forEach((head, i) => {
      const key = columns[i].key;
      const button = el("button", { type: "button" }, ...head.childNodes);
      head.replaceChildren(button);
      button.onclick = () => {
        state.sign = state.sort === key ? -state.sign : 1;
        state.sort = key;
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", state.sign > 0 ? "ascending" : "descending");
        found = [...found].sort(compare(key, state.sign));
        state.page = 0;
        draw();
      };
    });
    const scroll = table.parentNode;
    scroll.before(form, count);
    scroll.after(el("div", { className: "paging" }, back, on, place));
    draw();

    // An address that ends in #row-12-0 opens that row, whatever is filtered.
    const open = () => {
      const wanted = location.hash.slice(1);
      if (!rows.some((row) => anchor(row) === wanted)) return;
      if (!found.some((row) => anchor(row) === wanted)) clear.onclick();
      state.page = Math.floor(found.findIndex((row) => anchor(row) === wanted) / PAGE);
      draw();
      const tr = document.getElementById(wanted);
      const button = tr.querySelector("button");
      if (button.getAttribute("aria-expanded") === "false") button.click();
      button.focus({ preventScroll: true });
      tr.scrollIntoView({ block: "start" });
    };
    addEventListener("hashchange", open);
    open();

    // Links elsewhere in the report that show some of the rows: data-show="key=value".
    for (const link of document.querySelectorAll(`a[href="#${host.id}"][data-show]`)) {
      link.addEventListener("click", () => {
        const [key, value] = link.dataset.show.split(/=(.*)/s);
        clear.onclick();
        if (!selects[key]) return;
        selects[key].value = state.choice[key] = value;
        find();
      });
    }
  };
  document.querySelectorAll("[data-rows]").forEach(rowsTable);

  const theme = document.querySelector(".theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.onclick = () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); };
  dark.addEventListener("change", label);
  label();

  // Where style.css cannot open details in print, older browsers are helped here.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
})();
