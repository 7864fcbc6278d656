// A job's page without reloading. The page works without this: it then refreshes itself.
const languages = navigator.languages;
const EVERY = 1000; // milliseconds between two looks
const NEWS_EVERY = 6000; // and between two sentences for those who have the page read to them
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

const whole = (value) => new Intl.NumberFormat(languages, { maximumFractionDigits: 0 }).format(value);

function size(value) {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  const digits = unit > 0 && value < 100 ? 1 : 0;
  const how = { style: "unit", unit: UNITS[unit], unitDisplay: unit ? "short" : "long", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(languages, how).format(value);
}

// The page's own words, in its language; each with the numbers that it names in braces
const words = {
  not_known: "not known", less_than_a_minute: "less than a minute", minute: "about {n} minute", minutes: "about {n} minutes", hours: "about {hours} h {minutes} min",
  looking: "looking what belongs to it", news: "{rows} rows written.", news_of: "{rows} of {total} rows written.", news_left: "{left} left.",
  ...JSON.parse(document.getElementById("program-export-job")?.dataset.words ?? "{}"),
};
const say = (name, numbers = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => numbers[key]);

function duration(seconds) {
  if (seconds === null) return say("not_known");
  if (seconds < 60) return say("less_than_a_minute");
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return say(minutes > 1 ? "minutes" : "minute", { n: whole(minutes) });
  return say("hours", { hours: whole(Math.floor(minutes / 60)), minutes: minutes % 60 });
}

// Numbers and times as the reader's language spells them
function speak(root) {
  for (const node of root.querySelectorAll("data.figure")) {
    node.textContent = (node.dataset.field.endsWith("bytes") ? size : whole)(Number(node.value));
  }
  for (const node of root.querySelectorAll("time")) {
    node.textContent = new Date(node.dateTime).toLocaleString(languages, { dateStyle: "medium", timeStyle: "short" });
  }
}

function show(part, job) {
  for (const node of part.querySelectorAll("data.figure")) node.value = job[node.dataset.field] ?? 0;
  const bar = part.querySelector("progress");
  if (bar && job.total_rows) bar.value = Math.min(job.rows, job.total_rows);
  const texts = { seconds_left: duration(job.seconds_left), table: job.table ?? say("looking") };
  if (job.total_rows) texts.share = `${Math.min(100, Math.floor((100 * job.rows) / job.total_rows))} %`;
  const stage = part.querySelector('[data-field="stage"]'); // an import's: the page has its words
  if (stage && job.stage) stage.textContent = stage.dataset[job.stage];
  for (const [name, text] of Object.entries(texts)) {
    const node = part.querySelector(`[data-field="${name}"]`);
    if (node) node.textContent = text;
  }
  speak(part);
}

function sentence(job) {
  if (job.state !== "running") return "";
  const rows = say(job.total_rows ? "news_of" : "news", { rows: whole(job.rows), total: whole(job.total_rows ?? 0) });
  return job.seconds_left === null ? rows : `${rows} ${say("news_left", { left: duration(job.seconds_left) })}`;
}

// The state changed: the page tells the rest. Whoever was on a button that is gone is led to the heading.
async function renew(part) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) { location.reload(); return part; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  const inside = part.contains(document.activeElement);
  part.replaceWith(fresh);
  document.title = page.title;
  speak(fresh);
  if (inside) fresh.querySelector("h2").focus();
  return fresh;
}

async function follow(part, news) {
  let told = 0;
  while (part.dataset.active) {
    await new Promise((done) => setTimeout(done, EVERY));
    try {
      const answer = await fetch(part.dataset.data);
      if (answer.status === 404) { location.reload(); return; }
      if (!answer.ok) continue;
      const job = await answer.json();
      if (job.state !== part.dataset.state) {
        part = await renew(part);
        news.textContent = part.querySelector("h2").textContent;
        told = Date.now();
        continue;
      }
      show(part, job);
      if (Date.now() - told >= NEWS_EVERY) { news.textContent = sentence(job); told = Date.now(); }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the server is away for a moment: look again
    }
  }
}

speak(document);
const part = document.getElementById("program-export-job");
if (part) follow(part, document.getElementById("program-export-news"));
