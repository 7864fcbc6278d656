"use strict";
(() => {
  const page = document, find = page.getElementById("find"), told = page.getElementById("found");
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss");
  let rows = null;

  function gathered() {
    return [...page.querySelectorAll("main .row")].map((row) => [row, fold(row.textContent)]);
  }

  function search() {
    rows ??= gathered();
    const words = fold(find.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      const fits = words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    for (const part of page.querySelectorAll("main .group, main details.more, main .scroll, main .events")) {
      part.hidden = words.length > 0 && !part.querySelector(".row:not([hidden])");
      if (part.matches("details.more")) part.open = words.length > 0;
    }
    for (const above of page.querySelectorAll("main .above")) above.hidden = words.length > 0 && !followed(above);
    told.textContent = words.length ? told.dataset.told.replace("{0}", count).replace("{1}", rows.length) : "";
  }

  function followed(above) {
    for (let next = above.nextElementSibling; next && !next.matches(".above"); next = next.nextElementSibling) {
      if (next.matches(".row:not([hidden])") || next.querySelector(".row:not([hidden])")) return true;
    }
    return false;
  }

  async function save(event) {
    const bytes = Uint8Array.from(atob(page.getElementById("program-export-copy").textContent), (c) => c.charCodeAt(0));
    let copy = new Blob([bytes], { type: "application/gzip" }), name = event.currentTarget.dataset.name + ".json.gz";
    if (typeof DecompressionStream === "function") {
      copy = await new Response(copy.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
      name = name.slice(0, -3);
    }
    const link = page.createElement("a");
    link.href = URL.createObjectURL(copy);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  let waiting;
  find.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, rows ? 60 : 150); });
  page.addEventListener("keydown", (event) => {
    if (event.key === "/" && page.activeElement !== find && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && page.activeElement === find) {
      find.value = "";
      search();
    }
  });
  const opened = new Set();
  addEventListener("beforeprint", () => page.querySelectorAll("details:not([open])").forEach((d) => { d.open = true; opened.add(d); }));
  addEventListener("afterprint", () => { opened.forEach((d) => { d.open = false; }); opened.clear(); });
  addEventListener("hashchange", () => {
    const row = page.getElementById(decodeURIComponent(location.hash.slice(1))), around = row && row.closest("details");
    if (around) { around.open = true; row.scrollIntoView(); }
  });
  for (const button of page.querySelectorAll("button.save")) { button.addEventListener("click", save); button.hidden = false; }
  page.querySelector(".tools").hidden = false;
})();
