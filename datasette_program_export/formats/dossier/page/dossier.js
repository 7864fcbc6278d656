"use strict";
(() => {
  const page = document, find = page.getElementById("find"), told = page.getElementById("found");
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss");
  let rows = null;

  function said(node) {  // what a button says is no part of a row
    return node.nodeName === "BUTTON" ? "" : node.childNodes.length ? [...node.childNodes].map(said).join("") : node.textContent;
  }

  function gathered() {
    return [...page.querySelectorAll("main .row")].map((row) => [row, fold(row.querySelector("button") ? said(row) : row.textContent)]);
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

  const copy = () => page.getElementById("program-export-copy"), isPackage = () => copy().type.startsWith("application/zip");
  let bytes = null;

  function unpacked(data, how) {
    return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream(how))).blob();
  }

  function copied() {
    bytes ??= Uint8Array.from(atob(copy().textContent), (c) => c.charCodeAt(0));
    return bytes;
  }

  function give(blob, name) {
    const link = page.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  async function save(event) {
    const name = event.currentTarget.dataset.name;
    if (isPackage()) {
      give(new Blob([copied()], { type: "application/zip" }), name + ".zip");
    } else if (typeof DecompressionStream === "function") {
      give(await unpacked(copied(), "gzip"), name + ".json");
    } else {
      give(new Blob([copied()], { type: "application/gzip" }), name + ".json.gz");
    }
  }

  function contents(data) {  // of the package: where each file begins, by the table at its end
    const view = new DataView(data.buffer), found = new Map(), text = new TextDecoder();
    let end = data.length - 22;
    while (view.getUint32(end, true) !== 0x06054b50) end--;
    let at = view.getUint32(end + 16, true);
    for (let left = view.getUint16(end + 10, true); left > 0; left--) {
      const name = view.getUint16(at + 28, true), start = view.getUint32(at + 42, true);
      const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
      found.set(text.decode(data.subarray(at + 46, at + 46 + name)), data.subarray(from, from + view.getUint32(at + 20, true)));
      at += 46 + name + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return found;
  }

  const files = new Map();
  let packed = null;

  function file(number) {
    if (!files.has(number)) {
      packed ??= contents(copied());
      const told = page.getElementById("file-" + number).dataset;
      const whole = unpacked(packed.get(told.path), "deflate-raw").then((blob) => blob.slice(0, blob.size, told.type));
      files.set(number, whole.then((blob) => ({ blob, name: told.name })));
    }
    return files.get(number);
  }

  async function get(event) {
    const { blob, name } = await file(event.currentTarget.dataset.file);
    give(blob, name);
  }

  async function show() {
    try {
      new DecompressionStream("deflate-raw");
    } catch {
      return;  // an older browser: it says what is needed, as without scripts
    }
    for (const needs of page.querySelectorAll(".needs")) needs.remove();
    for (const button of page.querySelectorAll("button.get")) { button.addEventListener("click", get); button.hidden = false; }
    const shown = new Map();
    for (const image of page.querySelectorAll("img[data-file]")) {
      const number = image.dataset.file;
      if (!shown.has(number)) shown.set(number, URL.createObjectURL((await file(number)).blob));
      image.src = shown.get(number);
      image.hidden = false;
    }
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
  if (page.getElementById("files")) addEventListener("DOMContentLoaded", show);
})();
