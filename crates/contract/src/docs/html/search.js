// The search: names first, then full names, then what is said of them. Keys: / to search, arrows to choose, Enter to go.
(() => {
  "use strict";
  const box = document.getElementById("search");
  const found = document.getElementById("found");
  const MOST = 20;
  let chosen = -1;

  // Lower is better; undefined is not found. Every word must be there.
  function rank(entry, words) {
    const name = entry.name.toLowerCase();
    const full = entry.full.toLowerCase();
    const about = entry.about.toLowerCase();
    let sum = 0;
    for (const word of words) {
      if (name === word) sum += 0;
      else if (name.startsWith(word)) sum += 1;
      else if (name.includes(word)) sum += 2;
      else if (full.includes(word)) sum += 3;
      else if (about.includes(word)) sum += 4;
      else return undefined;
    }
    return sum;
  }

  function search(text) {
    const words = text.toLowerCase().split(/[\s/]+/).filter(Boolean);
    if (words.length === 0) return [];
    return window.ENTRIES.map((entry, at) => ({ entry, at, rank: rank(entry, words) }))
      .filter((hit) => hit.rank !== undefined)
      .sort((a, b) => a.rank - b.rank || a.at - b.at)
      .slice(0, MOST)
      .map((hit) => hit.entry);
  }

  // Built from text, never from markup.
  function item(entry) {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = entry.to;
    for (const [kind, text] of [["strong", entry.name], ["small", entry.kind], ["span", entry.full]]) {
      const part = document.createElement(kind);
      part.textContent = text;
      link.append(part, " ");
    }
    line.append(link);
    return line;
  }

  function show() {
    const hits = search(box.value);
    chosen = -1;
    found.replaceChildren(...hits.map(item));
    if (hits.length === 0 && box.value.trim() !== "") {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "Nothing of that name.";
      found.append(none);
    }
    found.hidden = box.value.trim() === "";
  }

  function choose(step) {
    const links = found.querySelectorAll("a");
    if (links.length === 0) return;
    chosen = (chosen + step + links.length) % links.length;
    links.forEach((link, at) => link.classList.toggle("chosen", at === chosen));
    links[chosen].scrollIntoView({ block: "nearest" });
  }

  function close() {
    found.hidden = true;
    box.value = "";
  }

  box.addEventListener("input", show);
  box.addEventListener("focus", show);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(1);
    else if (event.key === "ArrowUp") choose(-1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter") (found.querySelector("a.chosen") || found.querySelector("a"))?.click();
    else return;
    event.preventDefault();
  });
  found.addEventListener("click", (event) => {
    if (event.target.closest("a")) close();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) found.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    }
  });
})();
