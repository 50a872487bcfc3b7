// Asks the ingestor that served this page once a second, and shows what it answers.

import { Chart } from "/chart.js";

const EVERY_MS = 1_000;
const TIMEOUT_MS = 3_000;
const STATES = { running: "good", starting: "doubt", draining: "doubt", stopped: "bad" };

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const count = (value) => whole.format(value);
const rate = (value) => (value < 100 ? fine : whole).format(value);
const words = (name) => name.replaceAll("_", " ");

function lag(milliseconds) {
  if (milliseconds === null) return "–";
  if (milliseconds < 1_000) return `${count(milliseconds)} ms`;
  return `${fine.format(milliseconds / 1_000)} s`;
}

function amount(name, value) {
  return name.endsWith("bytes") ? `${fine.format(value / 2 ** 20)} MiB` : count(value);
}

function duration(seconds) {
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

// Changes a text only when it differs, so that a selection and a screen reader are left alone.
function write(element, text, tone = null) {
  if (element.textContent !== text) element.textContent = text;
  for (const name of ["good", "bad", "doubt"]) element.classList.toggle(name, name === tone);
}

// The rows of a table body: texts, { number }, { text, tone } or { meter } for each cell.
function fill(id, rows, otherwise) {
  const body = byId(id);
  const wanted = rows.length ? rows : [[otherwise]];
  while (body.rows.length > wanted.length) body.deleteRow(-1);
  wanted.forEach((cells, index) => {
    const row = body.rows[index] ?? body.insertRow();
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((content, place) => cell(row.cells[place] ?? row.insertCell(), content));
  });
}

function cell(element, content) {
  element.classList.toggle("number", content.number !== undefined);
  if (content.meter === undefined) {
    write(element, content.number ?? content.text ?? content, content.tone);
    return;
  }
  let meter = element.querySelector("meter");
  if (meter === null) {
    meter = document.createElement("meter");
    element.replaceChildren(meter);
  }
  const { name, used, limit } = content.meter;
  Object.assign(meter, { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: used });
  meter.ariaLabel = `${name}: share of its limit`;
}

const rateChart = new Chart(byId("rate-chart"), { least: 10, format: rate });
const lagChart = new Chart(byId("lag-chart"), { least: 100, format: lag });

function show(status, at) {
  write(byId("state"), status.state, STATES[status.state]);
  write(byId("ready"), status.ready ? "ready" : "not ready", status.ready ? "good" : "bad");
  write(byId("about"), `version ${status.version}, up ${duration(status.uptime_seconds)}`);
  write(byId("notice"), status.ready ? "" : `Not ready: ${status.not_ready.join("; ")}`, "bad");
  document.title = `${status.ready ? "" : "! "}ingestor ${status.state}`;

  const { received_per_s: received, stored_per_s: stored } = status.rates;
  const { p50, p99 } = status.lag_ms;
  write(byId("received"), `${rate(received)} /s`);
  write(byId("stored"), `${rate(stored)} /s`);
  write(byId("p50"), lag(p50));
  write(byId("p99"), lag(p99));
  const { visible, in_flight: flight } = status.queue ?? {};
  write(byId("visible"), status.queue === null ? "–" : count(visible));
  write(byId("flight"), status.queue === null ? "\u00a0" : `${count(flight)} in flight`);
  const { records, hits, misses, negative_hits: negative } = status.cache;
  write(byId("records"), `${count(records)} records`);
  const lookups = hits + negative + misses;
  write(byId("hits"), lookups ? `${fine.format((100 * (hits + negative)) / lookups)} %` : "–");
  rateChart.add(at, [received, stored]);
  lagChart.add(at, [p50, p99]);

  fill("dependencies", Object.entries(status.dependencies).map(([name, { up, reason }]) => [
    name, up ? { text: "up", tone: "good" } : { text: `down: ${reason}`, tone: "bad" },
  ]), "none");
  fill("buffers", Object.entries(status.buffers).map(([name, { used, limit }]) => [
    words(name), { number: amount(name, used) },
    { number: limit === null ? "–" : amount(name, limit) },
    limit === null ? "" : { meter: { name: words(name), used, limit } },
  ]), "none");
  fill("rejections", status.rejections.map(({ stage, reason, count: messages }) => [
    stage, words(reason), { number: count(messages) },
  ]), "none");
  fill("totals", Object.entries(status.totals).map(([name, value]) => [
    words(name), { number: amount(name, value) },
  ]), "none");
}

let silentSince = null;

function showSilence(why) {
  silentSince ??= new Date().toLocaleTimeString();
  write(byId("state"), "no answer", "bad");
  write(byId("ready"), "");
  const text = `${why}, since ${silentSince}. What is shown below is older than that. `;
  write(byId("notice"), `${text}The page keeps asking.`, "bad");
  document.title = "! ingestor does not answer";
  byId("figures").classList.add("old");
}

// What the ingestor answers; throws a sentence when it does not.
async function ask() {
  let reply;
  try {
    reply = await fetch("/api/status", {
      cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Error("The ingestor cannot be reached");
  }
  if (!reply.ok) throw new Error(`The ingestor answers with an error (${reply.status})`);
  return reply.json();
}

async function poll() {
  const started = performance.now();
  try {
    show(await ask(), Date.now());
    silentSince = null;
    byId("figures").classList.remove("old");
  } catch (error) {
    showSilence(error.message);
  }
  setTimeout(poll, Math.max(0, EVERY_MS - (performance.now() - started)));
}

poll();
