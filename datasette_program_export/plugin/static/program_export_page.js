// The pages of exports and imports. They work without this; with it, the export page updates itself in place.
const root = document.querySelector(".program-export-page");

// Datasette 0.x closes every <details> on a click elsewhere: that is meant for its menus
root?.addEventListener("click", (event) => {
  event.stopPropagation();
  for (const menu of document.querySelectorAll("details.nav-menu, details.details-menu, .page-action-menu details")) menu.open = false;
});

const page = document.getElementById("program-export");
const news = document.getElementById("program-export-news");
const BOXES = [["_export_box", "_export_with"], ["_export_edge", "_export_follow"]];
let pending = null;
let pressed = null; // ends when the pointer is up again

// A ticked box says nothing new, and so do the options of kinds that are not chosen: the address stays short
function shorten({ formData }) {
  for (const [box, tick] of BOXES) {
    const ticked = new Set(formData.getAll(tick));
    const missing = new Set(formData.getAll(box).filter((name) => !ticked.has(name)));
    formData.delete(tick);
    formData.delete(box);
    for (const name of missing) formData.append(box, name);
  }
  const kind = formData.get("_export_kind");
  for (const name of [...formData.keys()]) {
    if (name.startsWith("_export_of.") && name.slice(11).split(".").slice(1).join(".") !== kind) formData.delete(name);
  }
}

// What has the focus, as a selector that finds its like on the new page
function place(element) {
  if (!element || !page.contains(element)) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const name = element.getAttribute("name");
  if (name) return `${element.localName}[name="${CSS.escape(name)}"][value="${CSS.escape(element.getAttribute("value") ?? "")}"]`;
  return element.localName === "summary" ? `#${CSS.escape(element.parentElement.id)} > summary` : null;
}

async function update(form, submitter) {
  pending?.abort();
  const mine = (pending = new AbortController());
  const sent = new FormData(form);
  if (submitter?.name) sent.append(submitter.name, submitter.value);
  page.setAttribute("aria-busy", "true");
  let answer, text;
  try {
    answer = await fetch(`${page.dataset.page}?${new URLSearchParams(sent)}`, { headers: { accept: "text/html" }, signal: mine.signal });
    text = await answer.text();
    await pressed; // a click ends on the button on which it began
  } catch (error) {
    if (mine === pending) page.removeAttribute("aria-busy");
    return; // a newer change, or the server is away: the buttons still work
  }
  if (mine !== pending) return;
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("program-export");
  if (!fresh) { location.assign(answer.url); return; } // a page that says what is wrong
  const open = [...page.querySelectorAll("details[open][id]")].map((part) => part.id);
  const focus = place(document.activeElement);
  const typed = document.activeElement?.matches("input[type=search], input[type=text]") ? document.activeElement.value : null;
  const before = document.activeElement?.getBoundingClientRect().top;
  page.replaceChildren(...fresh.childNodes);
  page.removeAttribute("aria-busy");
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  const again = focus && page.querySelector(focus);
  if (again) {
    if (typed !== null) again.value = typed;
    again.focus({ preventScroll: true });
    scrollBy(0, again.getBoundingClientRect().top - before);
  }
  history.replaceState(null, "", withoutPageState(answer.url));
  news.textContent = page.querySelector(".holds").textContent;
}

function withoutPageState(url) {
  const kept = new URL(url);
  kept.searchParams.delete("_export_open");
  return kept;
}

if (page) {
  page.classList.add("scripted");
  page.addEventListener("formdata", shorten);
  page.addEventListener("pointerdown", () => {
    pressed = new Promise((up) => ["pointerup", "pointercancel"].forEach((end) => addEventListener(end, () => setTimeout(up), { once: true })));
  });
  let dated = false; // a date is whole when its field is left: each digit of a year makes another valid one
  page.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type === "date") dated = true;
    else if (field.form && !["search", "text"].includes(field.type)) update(field.form);
  });
  page.addEventListener("focusout", (event) => {
    if (event.target.type !== "date" || !dated) return;
    dated = false;
    setTimeout(() => update(event.target.form ?? page.querySelector("form"))); // when the next field has the focus
  });
  page.addEventListener("submit", (event) => {
    const by = event.submitter;
    if (by && !by.hasAttribute("data-update")) return;
    event.preventDefault();
    update(event.target, by);
  });
}
