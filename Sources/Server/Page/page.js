// The page of winnow-server. One script, no library: state, then how it is drawn, then what is asked of the server.
"use strict";

// ---------------------------------------------------------------------------------------------- Small helpers

const $ = id => document.getElementById(id);

/** An element: h("button.link", {onclick}, "Undo"). Values of aria-… and data-… are attributes, others properties. */
function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null) continue;
    if (/^(aria-|data-|role$|for$|list$)/.test(key)) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts some children, and nothing else, into an element. */
const put = (element, ...children) => element.replaceChildren(...children.flat().filter(child => child !== null && child !== undefined && child !== false));

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes ?? {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const grouped = n => n === null || n === undefined ? "–" : Number(n).toLocaleString("en-US");
const percent = (n, of) => !of ? "–" : n === of ? "100 %" : `${(100 * n / of).toFixed(n / of < .001 && n ? 3 : 1)} %`;
const plural = (n, one, many) => `${grouped(n)} ${n === 1 ? one : many}`;
const shortTime = iso => iso ? iso.slice(0, 16).replace("T", " ") : "never";
const later = (wait, work) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(() => work(...args), wait); }; };
const say = text => { $("said").textContent = text; };
const numbers = text => text.split(",").map(part => part.trim()).filter(Boolean);
const characters = text => Intl.Segmenter ? [...new Intl.Segmenter().segment(text)].map(part => part.segment) : [...text];

/** JSON whose numbers keep all their digits: what a number of JavaScript would round stays as it is written. */
function parse(text) {
  return JSON.parse(text, (_, value, context) => {
    if (typeof value !== "number" || isKept(context?.source ?? String(value))) return value;
    if (!JSON.rawJSON) throw new SyntaxError(`${context?.source ?? value} has more digits than this browser keeps`);
    return JSON.rawJSON(context.source);
  });
}
/** Whether a number of JavaScript keeps these digits. */
const isKept = digits => digits.replace(/[eE].*|[-+.]/g, "").replace(/^0+/, "").length <= 15;
/** A value of a rule as people write it. */
const written = value => String(value?.rawJSON ?? value ?? "");

// ---------------------------------------------------------------------------------------------- The server

/** An error as the server says it. */
class Refused extends Error {
  constructor(status, error) { super(error.message); Object.assign(this, error, { status }); }
}
/** The server cannot be reached. */
class Lost extends Error {}

const token = {
  get value() { return sessionStorage.getItem("token") ?? ""; },
  set value(text) { sessionStorage.setItem("token", text); },
};

/** Asks the server; JSON values come as an array where there are several. */
async function ask(method, path, body, { signal, raw } = {}) {
  let response;
  // No header can have such a token, and no server has it.
  if (!/^[\x21-\x7e]*$/.test(token.value)) token.value = "";
  try {
    response = await fetch(path, {
      method, signal, cache: "no-store",
      headers: {
        Authorization: `Bearer ${token.value}`, Accept: raw ? "*/*" : "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    banner.lost();
    throw new Lost("The server does not answer.");
  }
  if (response.status === 401) { banner.token(); }
  if (!response.ok) {
    let error = { code: "unknown", message: `The server answered ${response.status}.` };
    try { error = (await response.json()).error; } catch { /* The status says it. */ }
    throw new Refused(response.status, error);
  }
  banner.found();
  if (response.status === 204) return null;
  return raw ? response : parse(await response.text());
}

const post = (name, body, options) => ask("POST", `/v1/${name}`, body, options);

/** What stands above everything: the server is lost, or does not know who asks. */
const banner = {
  state: "",
  show(state, ...children) {
    this.state = state;
    $("banner").replaceChildren(...children);
    $("banner").hidden = false;
  },
  hide() {
    clearInterval(this.timer);
    this.state = "";
    $("banner").hidden = true;
  },
  found() { if (this.state) { this.hide(); } },
  lost() {
    if (this.state === "lost") return;
    this.show("lost", h("span", {}, "The server does not answer. It is asked again every two seconds."),
      h("button", { type: "button", onclick: () => this.retry() }, "Ask now"));
    this.timer = setInterval(() => this.retry(), 2000);
  },
  async retry() {
    try {
      if (!(await fetch("/healthz", { cache: "no-store" })).ok) return;
    } catch { return; }
    this.hide();
    // What was written meanwhile is what is wanted.
    if (!store.info) return start();
    if (unread) return { text: readText, json: readJSON }[unread]();
    translate();
    count();
  },
  token() {
    if (this.state === "token") return;
    const input = h("input", { type: "password", id: "token", autocomplete: "off", size: 30 });
    const form = h("form.row", {
      onsubmit: event => { event.preventDefault(); token.value = input.value.trim(); this.hide(); start(); },
    }, h("label", { for: "token" }, "The server wants its token; it printed it when it began, or has it from a file."), input,
      h("button.main", { type: "submit" }, "Go on"));
    this.show("token", form);
    input.focus();
  },
};

// ---------------------------------------------------------------------------------------------- What there is

const store = { info: null, fields: [], channels: new Map(), segments: [] };

async function learn() {
  const [info, schema, catalog, segments] = await Promise.all([
    ask("GET", "/v1/store"), ask("GET", "/v1/fields"), ask("GET", "/v1/catalog"), ask("GET", "/v1/segments"),
  ]);
  store.info = info;
  store.fields = [
    ...["id", "email", "phone", "appmetrica_device_id", "global_status"].map(name => ({ name, type: "string" }))
      .filter(own => !schema.fields.some(field => field.name === own.name)),
    ...schema.fields,
  ];
  store.channels = new Map();
  for (const { event, channels } of catalog)
    for (const channel of channels) store.channels.set(channel, [...store.channels.get(channel) ?? [], event]);
  store.segments = segments;
  $("store").textContent = `${plural(info.profiles, "profile", "profiles")}, ${plural(info.events, "event", "events")}`
    + (info.last_event ? `, the last on ${info.last_event.slice(0, 10)}` : "");
}

// The operators of each type: what they are called in JSON and here, and what they are compared with. Tried out against
// the engine by Tests/Server/test_page.py.
const OPERATORS = {
  string: [["equals", "is", "value"], ["not_equals", "is not", "value"], ["in", "is one of", "list"],
    ["not_in", "is none of", "list"], ["contains", "contains", "value"], ["not_contains", "does not contain", "value"],
    ["starts_with", "begins with", "value"], ["ends_with", "ends with", "value"], ["matches", "matches (* for any)", "value"],
    ["is_blank", "is blank", ""], ["is_not_blank", "is not blank", ""], ["exists", "is there", ""],
    ["does_not_exist", "is not there", ""]],
  integer: [["equals", "=", "value"], ["not_equals", "≠", "value"], ["less_than", "<", "value"], ["at_most", "≤", "value"],
    ["greater_than", ">", "value"], ["at_least", "≥", "value"], ["between", "between", "range"],
    ["not_between", "not between", "range"], ["in", "is one of", "list"], ["not_in", "is none of", "list"],
    ["exists", "is there", ""], ["does_not_exist", "is not there", ""]],
  boolean: [["equals", "is", "truth"], ["not_equals", "is not", "truth"], ["exists", "is there", ""],
    ["does_not_exist", "is not there", ""]],
  date: [["equals", "is", "value"], ["before", "before", "value"], ["on_or_before", "on or before", "value"],
    ["after", "after", "value"], ["on_or_after", "on or after", "value"], ["between", "between", "range"],
    ["age", "years ago", "age"], ["during", "during", "window"], ["anniversary", "has its day within", "days"],
    ["exists", "is there", ""], ["does_not_exist", "is not there", ""]],
  string_set: [["has_any", "has any of", "list"], ["has_all", "has all of", "list"], ["has_none", "has none of", "list"],
    ["is_blank", "is blank", ""], ["is_not_blank", "is not blank", ""], ["exists", "is there", ""],
    ["does_not_exist", "is not there", ""]],
};
OPERATORS.decimal = OPERATORS.integer;
OPERATORS.datetime = OPERATORS.date;

const COUNTING = [["exists", "ever happened"], ["does_not_exist", "never happened"], ["at_least", "at least"],
  ["at_most", "at most"], ["exactly", "exactly"], ["between", "between"], ["not_happened", "did not happen"]];
const UNITS = ["minutes", "hours", "days", "weeks", "months", "years"];
const PERIODS = ["day", "week", "month", "quarter", "year"];
const words = name => name.replaceAll("_", " ");

// ---------------------------------------------------------------------------------------------- The rule

// A node is a group {kind: "all" | "any", children} or a leaf {kind: "leaf", key, value}; `negated` says that it is under a “not”.
// The root is a group. What a group of one means is its child, and nothing is everybody.

let nextNode = 1;
const group = (kind, children = []) => ({ id: nextNode++, kind, children, negated: false });
const leaf = (key, value) => ({ id: nextNode++, kind: "leaf", key, value, negated: false });

/** The blocks for a rule as JSON. */
function blocks(json) {
  const [key] = Object.keys(json);
  if (key === "not") {
    const inner = blocks(json.not);
    if (!inner.negated) return Object.assign(inner, { negated: true });
    return Object.assign(group("all", [inner]), { negated: true });
  }
  if (key === "all" || key === "any") return group(key, json[key].map(blocks));
  return leaf(key, json[key]);
}

/** The rule as JSON, undefined for none; notes at each node the path that the server gives it. */
function json(node, path = "where") {
  node.path = path;
  const place = node.negated ? `${path}.not` : path;
  let value;
  if (node.kind === "leaf") value = { [node.key]: node.value };
  else {
    const given = node.children.filter(child => !isEmpty(child));
    for (const child of node.children) child.path = null;
    if (given.length === 0) return undefined;
    value = given.length === 1 ? json(given[0], place)
      : { [node.kind]: given.map((child, i) => json(child, `${place}.${node.kind}[${i}]`)) };
  }
  return node.negated ? { not: value } : value;
}

const isEmpty = node => node.kind !== "leaf" && node.children.every(isEmpty);

function* nodes(node) {
  yield node;
  if (node.kind !== "leaf") for (const child of node.children) yield* nodes(child);
}

function parent(of, node = rule.root) {
  if (node.kind === "leaf") return null;
  if (node.children.includes(of)) return node;
  for (const child of node.children) {
    const found = parent(of, child);
    if (found) return found;
  }
  return null;
}

const rule = {
  root: group("all"),
  /** The rule that was last understood, as JSON; null for everybody. */
  json: null,
  explanation: null,
  past: [], future: [],
};

/** A change of the blocks, which can be undone. */
function change(work, { keepFocus } = {}) {
  remember();
  work();
  afterChange({ keepFocus });
}

function remember() {
  rule.past.push(JSON.stringify(rule.root));
  if (rule.past.length > 200) rule.past.shift();
  rule.future = [];
}

function travel(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(rule.root));
  rule.root = parse(from.pop());
  for (const node of nodes(rule.root)) nextNode = Math.max(nextNode, node.id + 1);
  afterChange();
}

/** Draws the blocks, writes both texts, and has everything counted. */
function afterChange({ keepFocus, from } = {}) {
  rule.json = json(rule.root) ?? null;
  rule.explanation = null;
  drawBlocks(keepFocus);
  $("undo").disabled = !rule.past.length;
  $("redo").disabled = !rule.future.length;
  if (from !== "json") write("json", rule.json ? JSON.stringify(rule.json, null, 2) : "");
  count();
  if (from !== "text") translate();
}

function setRule(value, from) {
  remember();
  const root = value ? blocks(value) : group("all");
  rule.root = root.kind === "leaf" || root.negated ? group("all", [root]) : root;
  afterChange({ from });
}

/** The rule of a document, in whose zone it is evaluated from now on. */
function setDocument(value, from) {
  if (value.timezone) $("zone").value = value.timezone;
  setRule(value.where ?? value, from);
}

function write(id, text) {
  if ($(id).value !== text) $(id).value = text;
  showError(id, null);
}

// ---------------------------------------------------------------------------------------------- Text and JSON

let translating = new AbortController();
/** The editor whose text nobody has understood or refused yet. */
let unread = "";
let counting = new AbortController();

/** The rule as text, by the server. */
async function translate() {
  translating.abort();
  translating = new AbortController();
  if (!rule.json) { write("text", ""); address(); return; }
  try {
    write("text", await post("rule", { rule: rule.json, to: "text" }, { signal: translating.signal }));
    address();
  } catch (error) { if (error instanceof Refused) address(); }
}

const readText = later(180, async () => {
  translating.abort();
  translating = new AbortController();
  const text = $("text").value;
  if (!text.trim()) { showError("text", null); return setRule(null, "text"); }
  try {
    const value = await post("rule", { text, to: "json" }, { signal: translating.signal });
    showError("text", null);
    setDocument(value, "text");
    address();
  } catch (error) { if (error instanceof Refused) showError("text", error, text); }
});

const readJSON = later(180, () => {
  const text = $("json").value;
  if (!text.trim()) { showError("json", null); return setRule(null, "json"); }
  let value;
  try { value = parse(text); } catch (error) {
    const offset = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
    const before = text.slice(0, offset).split("\n");
    return showError("json", { message: error.message.split(" in JSON")[0], line: before.length, column: before.at(-1).length + 1 }, text);
  }
  readRule(value, text);
});

async function readRule(value, text) {
  translating.abort();
  translating = new AbortController();
  try {
    const found = await post("rule", { rule: value, to: "json" }, { signal: translating.signal });
    showError("json", null);
    setDocument(found, "json");
  } catch (error) { if (error instanceof Refused) showError("json", error, text); }
}

/** Shows an error under an editor, with the line that it is about and a caret. */
function showError(id, error, text = "") {
  unread = "";
  const place = $(`${id}-error`);
  $(id).classList.toggle("bad", Boolean(error));
  $(id).setAttribute("aria-invalid", Boolean(error));
  if (!error) return place.replaceChildren();
  const parts = [h("span", {}, error.message)];
  if (error.line) {
    const line = text.split("\n")[error.line - 1] ?? "";
    const caret = error.column - 1;
    const begin = Math.max(0, caret - 60);
    parts.push(h("pre", {}, `${characters(line).slice(begin, begin + 90).join("")}\n${" ".repeat(caret - begin)}^`),
      h("button.link", {
        type: "button",
        onclick: () => {
          const lines = text.split("\n");
          const offset = lines.slice(0, error.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + characters(line).slice(0, caret).join("").length;
          $(id).focus();
          $(id).setSelectionRange(offset, offset);
        },
      }, `Go to line ${error.line}, column ${error.column}`));
  }
  place.replaceChildren(...parts);
}

// ---------------------------------------------------------------------------------------------- Counting

/** When and where rules are evaluated. */
function circumstances() {
  const asOf = $("as-of").value, zone = $("zone").value.trim();
  return {
    ...(asOf ? { as_of: (asOf.length === 16 ? `${asOf}:00` : asOf) + "Z" } : {}),
    ...(zone ? { timezone: zone } : {}),
  };
}

const EVERYBODY = { field: { name: "id", operator: "exists" } };

/** Counts the rule and each of its nodes, exactly. */
async function count() {
  counting.abort();
  counting = new AbortController();
  const { signal } = counting;
  document.body.classList.add("busy");
  const slow = setTimeout(() => {
    $("timing").textContent = "Still counting …";
    $("stop").hidden = false;
  }, 1500);
  const begin = performance.now();
  try {
    const found = await post("explain", { rule: rule.json ?? EVERYBODY, ...circumstances() }, { signal });
    rule.explanation = found;
    showCount(found, performance.now() - begin);
  } catch (error) {
    if (error.name === "AbortError") return;
    showFailure(error);
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) {
      $("stop").hidden = true;
      document.body.classList.remove("busy");
    }
  }
  drawView();
}

function showCount(found, waited) {
  $("count").textContent = grouped(found.count);
  $("of").textContent = `of ${plural(found.universe, "profile", "profiles")}, ${percent(found.count, found.universe)}`;
  $("share").style.width = found.universe ? `${100 * found.count / found.universe}%` : "0";
  $("timing").textContent = `Counted in ${found.elapsed_ms.toFixed(found.elapsed_ms < 10 ? 2 : 0)} ms, shown after ${waited.toFixed(0)} ms`;
  // That fields are as of now is news only to who chose another time.
  const warnings = found.nodes.flatMap(node => node.warnings).filter(warning => warning.code !== "fields_are_current" || $("as-of").value !== usualTime());
  $("warnings").replaceChildren(...[...new Set(warnings.map(warning => warning.message))].slice(0, 6).map(text => h("li", {}, text)));
  for (const node of nodes(rule.root)) showFigure(node, found);
  document.querySelectorAll(".wrong").forEach(element => element.classList.remove("wrong"));
}

/** The figures at a block. */
function showFigure(node, found) {
  const place = document.querySelector(`[data-figure="${node.id}"]`);
  if (!place) return;
  const own = rule.json && found.nodes.find(other => other.path === node.path);
  const value = own?.count ?? (node === rule.root ? found.count : null);
  place.replaceChildren(...(value === null ? [] : [grouped(value), " ", h("small", {}, percent(value, found.universe))]));
  const bar = document.querySelector(`[data-bar="${node.id}"]`);
  if (bar) bar.style.width = value && found.universe ? `${100 * value / found.universe}%` : "0";
  const text = document.querySelector(`[data-text="${node.id}"]`);
  const inner = node.negated ? found.nodes.find(other => other.path === `${node.path}.not`) : own;
  if (text && inner) text.textContent = inner.text;
}

function showFailure(error) {
  $("count").textContent = "–";
  $("of").textContent = "";
  $("share").style.width = "0";
  $("timing").textContent = error.message;
  $("warnings").replaceChildren();
  if (!(error instanceof Refused) || !error.path) return;
  const found = [...nodes(rule.root)].filter(node => node.path && error.path.startsWith(node.path))
    .sort((a, b) => b.path.length - a.path.length)[0];
  const element = found && document.querySelector(`[data-node="${found.id}"]`);
  element?.classList.add("wrong");
}

// ---------------------------------------------------------------------------------------------- Blocks

function drawBlocks(keepFocus) {
  const focus = keepFocus ?? document.activeElement?.dataset?.key;
  $("blocks").replaceChildren(drawNode(rule.root));
  if (focus) document.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  if (isEmpty(rule.root)) $("blocks").append(welcome());
}

function welcome() {
  const channel = store.channels.has("email") ? "email" : [...store.channels.keys()][0];
  const country = store.fields.find(field => field.name === "country");
  const examples = [
    ["Opened a mail, did not click", `${channel} opened exists and ${channel} clicked does not exist`],
    ["Opened three or more in 90 days", `${channel} opened at least 3 times in the last 90 days`],
    country && ["Clicked, by country", `${channel} clicked exists and country in ("DE", "GB")`],
  ].filter(Boolean);
  return h("div.empty", {}, h("p", {}, "Nothing is asked yet, so everybody is in. Add a condition, write a text, or begin with an example:"),
    h("div.adds", {}, examples.map(([name, text]) => h("button", {
      type: "button", onclick: () => { $("text").value = text; readText(); },
    }, name))));
}

function drawNode(node) { return node.kind === "leaf" ? drawLeaf(node) : drawGroup(node); }

const figure = node => h("span.figure", { "data-figure": node.id });

function notButton(node) {
  return h("button.not", {
    type: "button", "aria-pressed": String(node.negated), "data-key": `${node.id}-not`, title: "Everybody else",
    onclick: () => change(() => { node.negated = !node.negated; }),
  }, "not");
}

function drawGroup(node) {
  const isRoot = node === rule.root;
  const join = h("div.join", { role: "group", "aria-label": "How the conditions are joined" }, ["all", "any"].map(kind => h("button", {
    type: "button", "aria-pressed": String(node.kind === kind), "data-key": `${node.id}-${kind}`,
    onclick: () => change(() => { node.kind = kind; }),
  }, kind === "all" ? "All of" : "Any of")));
  const list = h("ul.children", {}, node.children.map(child => h("li", {}, drawNode(child))));
  const element = h(`div.group.${node.kind}${node.negated ? ".negated" : ""}`, { "data-node": node.id, role: "group", "aria-label": isRoot ? "The rule" : "Group" },
    h("div.head", {}, isRoot ? null : handle(node), join, notButton(node), figure(node), isRoot ? null : acts(node)),
    list,
    h("div.adds", {}, [["Activity", newActivity], ["Field", newField], ["Saved segment", newSegment], ["Group", () => group(node.kind === "all" ? "any" : "all")]]
      .filter(([name]) => name !== "Saved segment" || store.segments.length)
      .map(([name, make]) => h("button", {
        type: "button", "data-key": `${node.id}-add-${name}`,
        onclick: () => {
          const made = make();
          change(() => node.children.push(made), { keepFocus: made.kind === "leaf" ? `${made.id}-first` : `${made.id}-add-Activity` });
          say(`${name} added`);
        },
      }, `+ ${name}`))));
  droppable(element, dragged => {
    if ([...nodes(dragged)].includes(node)) return;
    move(dragged, node, node.children.length);
  });
  return element;
}

const newActivity = () => leaf("activity", { channel: store.channels.has("email") ? "email" : [...store.channels.keys()][0], event: "opened", operator: "exists" });
function newField() {
  const field = store.fields.find(field => field.name === "country") ?? store.fields.at(-1);
  return leaf("field", { name: field.name, operator: "exists" });
}
const newSegment = () => leaf("segment", store.segments[0].name);

function acts(node) {
  return h("span.acts", {},
    node.kind === "leaf" ? h("button", {
      type: "button", title: "Put it into a group of its own", "data-key": `${node.id}-group`,
      onclick: () => change(() => {
        const around = parent(node);
        around.children[around.children.indexOf(node)] = group(around.kind === "all" ? "any" : "all", [node]);
      }),
    }, "Group") : h("button", {
      type: "button", title: "Take its conditions out of the group", "data-key": `${node.id}-ungroup`, disabled: node.negated,
      onclick: () => change(() => {
        const around = parent(node);
        around.children.splice(around.children.indexOf(node), 1, ...node.children);
      }),
    }, "Ungroup"),
    h("button", {
      type: "button", "aria-label": "Remove", title: "Remove", "data-key": `${node.id}-remove`,
      onclick: () => remove(node),
    }, "×"));
}

function remove(node) {
  const around = parent(node);
  if (!around) return;
  change(() => { around.children.splice(around.children.indexOf(node), 1); }, { keepFocus: `${around.id}-add-Activity` });
  say("Removed");
}

/** Moves a node within the tree. */
function move(node, target, index) {
  const around = parent(node);
  const from = around.children.indexOf(node);
  change(() => {
    around.children.splice(from, 1);
    if (around === target && from < index) index -= 1;
    target.children.splice(index, 0, node);
  }, { keepFocus: `${node.id}-handle` });
  say("Moved");
}

function handle(node) {
  const keys = {
    ArrowUp: around => [around, around.children.indexOf(node) - 1],
    ArrowDown: around => [around, around.children.indexOf(node) + 2],
    ArrowLeft: around => { const outer = parent(around); return outer && [outer, outer.children.indexOf(around) + 1]; },
    ArrowRight: around => {
      const place = around.children.indexOf(node);
      const next = around.children[place - 1]?.children ? around.children[place - 1] : around.children[place + 1];
      return next?.children ? [next, next.children.length] : null;
    },
  };
  return h("button.handle", {
    type: "button", draggable: true, "data-key": `${node.id}-handle`, title: "Drag, or move with the arrow keys",
    "aria-label": "Move: arrow up and down, left out of its group, right into the group beside it; Delete removes",
    ondragstart: event => {
      event.dataTransfer.setData("text/plain", String(node.id));
      event.dataTransfer.effectAllowed = "move";
      dragging = node;
      document.querySelector(`[data-node="${node.id}"]`).classList.add("dragged");
    },
    ondragend: () => { dragging = null; document.querySelectorAll(".dragged, .over").forEach(element => element.classList.remove("dragged", "over")); },
    onkeydown: event => {
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); return remove(node); }
      const to = keys[event.key]?.(parent(node));
      if (!keys[event.key]) return;
      event.preventDefault();
      if (to && to[1] >= 0 && to[1] <= to[0].children.length) move(node, ...to);
    },
  }, "⠿");
}

let dragging = null;
function droppable(element, drop) {
  element.addEventListener("dragover", event => {
    if (!dragging) return;
    event.preventDefault();
    event.stopPropagation();
    document.querySelectorAll(".over").forEach(other => other.classList.remove("over"));
    element.classList.add("over");
  });
  element.addEventListener("drop", event => {
    if (!dragging) return;
    event.preventDefault();
    event.stopPropagation();
    drop(dragging);
  });
}

function drawLeaf(node) {
  const sentence = h("div.sentence", {});
  const draw = { activity: drawActivity, field: drawField, segment: drawSegment }[node.key];
  if (!draw || !draw(node, sentence)) {
    sentence.append(h("span.own", { "data-text": node.id }, node.key),
      h("button.link", { type: "button", onclick: () => $("text").focus() }, "Edit as text"));
  }
  const element = h(`div.leaf${node.negated ? ".negated" : ""}`, { "data-node": node.id, role: "group", "aria-label": "Condition" },
    h("span.handle-cell", {}, handle(node)), sentence,
    h("div.side", {}, figure(node), h("span.acts", {}, notButton(node), acts(node))),
    h("div.bar", { "aria-hidden": "true" }, h("span", { "data-bar": node.id })));
  droppable(element, dragged => {
    if ([...nodes(dragged)].includes(node)) return;
    const around = parent(node);
    move(dragged, around, around.children.indexOf(node));
  });
  return element;
}

/** A drop-down list. */
function select(node, key, label, options, value, set) {
  return h("select", {
    "aria-label": label, "data-key": `${node.id}-${key}`, onchange: event => change(() => set(event.target.value)),
  }, options.map(option => {
    const [name, text] = Array.isArray(option) ? option : [option, words(option)];
    return h("option", { value: name, selected: name === value }, text);
  }));
}

/** An entry; what is written counts once it makes sense. */
function entry(node, key, label, value, set, props = {}) {
  return h("input", {
    type: "text", value: value ?? "", "aria-label": label, "data-key": `${node.id}-${key}`, spellcheck: false, autocomplete: "off", ...props,
    onchange: event => change(() => set(event.target.value)),
  });
}

const number = (node, key, label, value, set, props) =>
  entry(node, key, label, value, text => set(Math.max(0, Math.trunc(Number(text) || 0))), { type: "number", min: 0, ...props });

function drawActivity(node, sentence) {
  const value = node.value;
  const events = store.channels.get(value.channel);
  if (!events?.includes(value.event)) return false;
  sentence.append(
    select(node, "first", "Channel", [...store.channels.keys()], value.channel, channel => {
      value.channel = channel;
      if (!store.channels.get(channel).includes(value.event)) value.event = store.channels.get(channel)[0];
      if (!value.event.includes("clicked")) delete value.links;
    }),
    select(node, "event", "Event", events, value.event, event => {
      value.event = event;
      if (!event.includes("clicked")) delete value.links;
    }),
    select(node, "operator", "Operator", COUNTING, value.operator, operator => {
      value.operator = operator;
      const low = Array.isArray(value.times) ? value.times[0] : value.times ?? 1;
      delete value.times;
      if (operator === "between") value.times = [low, low + 4];
      else if (["at_least", "at_most", "exactly"].includes(operator)) value.times = operator === "at_least" ? Math.max(1, low) : low;
      if (["exists", "does_not_exist"].includes(operator))
        for (const key of ["campaigns", "templates", "links", "during", "counting", "after"]) delete value[key];
      if (operator !== "not_happened") delete value.preceded_by;
    }));
  if (typeof value.times === "number") {
    const least = value.operator === "at_least" ? 1 : 0;
    sentence.append(number(node, "times", "How often", value.times, times => { value.times = Math.max(least, times); }, { min: least }), "times");
  } else if (Array.isArray(value.times)) {
    sentence.append(number(node, "low", "At least so often", value.times[0], low => { value.times = [low, Math.max(low, value.times[1])]; }), "and",
      number(node, "high", "At most so often", value.times[1], high => { value.times = [Math.min(high, value.times[0]), high]; }), "times");
  }
  if (!["exists", "does_not_exist"].includes(value.operator)) {
    drawScope(node, sentence);
    drawWindow(node, sentence, value.during, during => { if (during) value.during = during; else delete value.during; }, "at any time");
  }
  sentence.append(select(node, "by", "By whom", [["", "by anyone"], ["people", "by people"], ["machines", "by machines"]], value.by ?? "",
    by => { if (by) value.by = by; else delete value.by; }));
  for (const [key, text] of [["preceded_by", "having"], ["after", "after"], ["counting", "counting"], ["links", "on links"]]) {
    if (value[key] === undefined) continue;
    const shown = value[key].event ? `${text} ${words(value[key].event)}` : `${text} ${[value[key]].flat().map(part => part.at_least ?? part).join(", ")}`;
    sentence.append(h("span.chip", {}, shown, h("button", {
      type: "button", "aria-label": `Take away: ${shown}`, onclick: () => change(() => { delete value[key]; }),
    }, "×")));
  }
  return true;
}

/** In which campaigns or templates. */
function drawScope(node, sentence) {
  const value = node.value;
  const kind = value.campaigns ? "campaigns" : value.templates ? "templates" : "";
  const selector = value[kind];
  const isSimple = !kind || (!(value.campaigns && value.templates)
    && (Array.isArray(selector) || (Object.keys(selector).length === 1 && (selector.ids || selector.tags || selector.latest))));
  if (!isSimple) {
    sentence.append(h("span.own", {}, `in ${Object.keys(value).filter(key => key === "campaigns" || key === "templates").join(" and ")} as the text says`));
    return;
  }
  const how = !kind ? "" : selector.tags ? "tags" : selector.latest ? "latest" : "ids";
  sentence.append(select(node, "scope", "Where",
    [["", "anywhere"], ...["campaigns", "templates"].flatMap(name => [[`${name} ids`, `in ${name}`], [`${name} tags`, `in ${name} tagged`]]),
      ["campaigns latest", "in the latest campaigns"]],
    kind && `${kind} ${how}`, chosen => {
      delete value.campaigns;
      delete value.templates;
      if (!chosen) { delete value.counting; return; }
      const [name, way] = chosen.split(" ");
      value[name] = way === "latest" ? { latest: 5 } : way === "tags" ? { tags: [""] } : [""];
    }));
  if (how === "latest") {
    sentence.append(number(node, "latest", "How many", selector.latest, latest => { selector.latest = Math.max(1, latest); }, { min: 1 }));
  } else if (how) {
    const list = how === "tags" ? selector.tags : selector.ids ?? selector;
    sentence.append(entry(node, "scope-names", "Names, with commas between", list.join(", "), text => {
      const given = numbers(text);
      value[kind] = how === "tags" ? { tags: given.length ? given : [""] } : given.length ? given : [""];
    }, { placeholder: how === "tags" ? "tag, tag" : "id, id" }));
  }
}

/** When. */
function drawWindow(node, sentence, window, set, always) {
  const kind = !window ? "" : window.last !== undefined ? "last" : window.days_ago ? "days_ago" : window.period ? "period"
    : window.next !== undefined ? "next" : "between";
  const forField = node.key === "field";
  const kinds = [["last", "in the last"], ...(forField ? [["next", "in the next"]] : []), ["days_ago", "days ago, from"], ["period", "in"], ["between", "from"]];
  sentence.append(select(node, "window", "When", [...(always ? [["", always]] : []), ...kinds], kind, chosen => set({
    "": undefined, last: { last: 30, unit: "days" }, next: { next: 30, unit: "days" }, days_ago: { days_ago: [14, 7] },
    period: { period: "this_month" }, between: { from: (store.info.last_event ?? new Date().toISOString()).slice(0, 8) + "01" },
  }[chosen])));
  if (kind === "last" || kind === "next") {
    sentence.append(number(node, "window-n", "How many", window[kind], n => set({ ...window, [kind]: n })),
      select(node, "window-unit", "Unit", UNITS, window.unit ?? "days", unit => {
        const next = { ...window, unit };
        if (unit === "minutes" || unit === "hours") delete next.mode;
        set(next);
      }));
  } else if (kind === "days_ago") {
    sentence.append(number(node, "window-from", "From so many days ago", window.days_ago[0], from => set({ days_ago: [from, Math.min(from, window.days_ago[1])] })), "to",
      number(node, "window-to", "To so many days ago", window.days_ago[1], to => set({ days_ago: [Math.max(to, window.days_ago[0]), to] })));
  } else if (kind === "period") {
    const whens = ["this", "last", ...(forField ? ["next"] : [])];
    sentence.append(select(node, "window-period", "Which", whens.flatMap(when => PERIODS.map(period => [`${when}_${period}`, `${when} ${period}`])), window.period, period => set({ period })));
  } else if (kind === "between") {
    const isDay = text => !text || /^\d{4}-\d\d-\d\d$/.test(text);
    if (!isDay(window.from) || !isDay(window.to)) sentence.append(h("span.own", {}, `${window.from ?? "…"} to ${window.to ?? "…"}`));
    else for (const [key, label] of [["from", "From this day"], ["to", "To this day"]]) {
      if (key === "to") sentence.append("to");
      sentence.append(entry(node, `window-${key}`, label, window[key], text => {
        const next = { ...window, [key]: text };
        if (!text) delete next[key];
        set(next.from || next.to ? next : undefined);
      }, { type: "date" }));
    }
  }
}

function drawField(node, sentence) {
  const value = node.value;
  const field = store.fields.find(field => field.name === value.name);
  const operators = OPERATORS[field?.type];
  const operator = operators?.find(([name]) => name === value.operator);
  if (!operator) return false;
  const isTime = field.type === "date" || field.type === "datetime";
  const isNumber = field.type === "integer" || field.type === "decimal";
  // Numbers keep their digits.
  const read = text => !isNumber || !/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? text : isKept(text) || !JSON.rawJSON ? Number(text) : JSON.rawJSON(text);
  const usual = isTime ? (store.info.last_event ?? "2026-01-01").slice(0, 10) : isNumber ? 0 : "";
  sentence.append(
    select(node, "first", "Field", store.fields.map(field => [field.name, field.name]), value.name, name => {
      const type = store.fields.find(field => field.name === name).type;
      for (const key of Object.keys(value)) delete value[key];
      Object.assign(value, { name, operator: "exists" });
      if (type === "boolean") Object.assign(value, { operator: "equals", value: true });
    }),
    select(node, "operator", "Operator", operators, value.operator, name => {
      const [, , operand] = operators.find(([other]) => other === name);
      const first = [value.value].flat()[0];
      const kept = typeof first === "string" || typeof first === "number" || first?.rawJSON ? first : usual;
      value.operator = name;
      delete value.ignore_case;
      delete value.value;
      const made = { value: kept, truth: true, list: [kept], range: [kept, kept], window: { last: 30, unit: "days" }, age: { from: 18 },
        days: { from: 0, to: 7 } }[operand];
      if (made !== undefined) value.value = made;
    }));
  const props = isTime ? { type: "date" } : isNumber ? { type: "text", inputMode: "decimal", className: "digits" } : { list: `values-${node.id}` };
  const valueEntry = (key, text, set) => entry(node, key, "Value", written(text), set, props);
  switch (operator[2]) {
    case "value":
      if (isTime && !/^\d{4}-\d\d-\d\d$/.test(value.value)) return false;
      sentence.append(valueEntry("value", value.value, text => { value.value = read(text); }));
      break;
    case "truth":
      sentence.append(select(node, "value", "Value", [["true", "true"], ["false", "false"]], String(value.value), text => { value.value = text === "true"; }));
      break;
    case "list":
      sentence.append(entry(node, "value", "Values, with commas between", value.value.map(written).join(", "), text => {
        const given = numbers(text).map(read);
        value.value = given.length ? given : [usual];
      }, { placeholder: "value, value", ...(isNumber ? {} : { list: `values-${node.id}` }) }));
      break;
    case "range":
      sentence.append(valueEntry("low", value.value[0], text => { value.value = [read(text), value.value[1]]; }), "and",
        valueEntry("high", value.value[1], text => { value.value = [value.value[0], read(text)]; }));
      break;
    case "window": drawWindow(node, sentence, value.value, window => { value.value = window ?? value.value; }); break;
    case "age": case "days": {
      const isAge = operator[2] === "age";
      for (const [key, label] of [["from", isAge ? "From age" : "From so many days from today"], ["to", isAge ? "To age" : "To so many days from today"]]) {
        sentence.append(key === "from" ? "from" : "to", entry(node, key, label, value.value[key], text => {
          const next = { ...value.value, [key]: Math.trunc(Number(text)) };
          if (text === "" && isAge) delete next[key];
          value.value = isAge && next.from === undefined && next.to === undefined ? { from: 0 } : next;
        }, { type: "number" }));
      }
      sentence.append(isAge ? "years" : "days from today");
    }
  }
  if (props.list && ["value", "list"].includes(operator[2])) suggest(node, field, sentence);
  return true;
}

const known = new Map();
/** The most frequent values of a field, for entries. */
function suggest(node, field, sentence) {
  const list = h("datalist", { id: `values-${node.id}` });
  const fill = () => list.replaceChildren(...(known.get(field.name) ?? []).map(value => h("option", { value })));
  sentence.append(list);
  if (["id", "email", "phone", "appmetrica_device_id"].includes(field.name)) return;
  if (known.has(field.name)) return fill();
  sentence.addEventListener("focusin", async () => {
    if (known.has(field.name)) return;
    known.set(field.name, []);
    try {
      const lines = await post("breakdown", { rule: EVERYBODY, by: field.name, top: 50 });
      known.set(field.name, lines.map(line => line.by[field.name]).filter(value => typeof value === "string" && value));
      fill();
    } catch { /* Fields with too many values have no suggestions. */ }
  });
}

function drawSegment(node, sentence) {
  const name = typeof node.value === "string" ? node.value : null;
  if (name === null || !store.segments.some(segment => segment.name === name)) return false;
  sentence.append("in segment", select(node, "first", "Segment", store.segments.map(segment => [segment.name, segment.name]), name, chosen => { node.value = chosen; }));
  return true;
}

// ---------------------------------------------------------------------------------------------- Views

const views = {
  why: ["Why", drawWhy], who: ["Who", drawWho], when: ["When", drawWhen], compare: ["Compare", drawCompare],
  person: ["Person", drawPerson], saved: ["Saved", drawSaved], take: ["Export", drawExport],
};
let shown = "why";
let viewing = new AbortController();

function drawTabs() {
  $("tabs").replaceChildren(...Object.entries(views).map(([name, [title]]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === shown), "aria-controls": "view", tabIndex: name === shown ? 0 : -1,
    onclick: () => show(name),
    onkeydown: event => {
      const names = Object.keys(views);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(names[(names.indexOf(name) + step + names.length) % names.length]);
      $(`tab-${shown}`).focus();
    },
  }, title)));
  $("view").setAttribute("aria-labelledby", `tab-${shown}`);
}

function show(name) {
  shown = name;
  drawTabs();
  $("view").replaceChildren();
  drawView();
  address();
}

/** Draws what the chosen view says of the rule; an older drawing that still waits is given up. */
async function drawView() {
  viewing.abort();
  viewing = new AbortController();
  const { signal } = viewing;
  try { await views[shown][1]($("view"), signal); } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    $("view").replaceChildren(h("div.empty", {}, h("p", {}, error.message),
      error instanceof Lost ? null : h("button", { type: "button", onclick: drawView }, "Try again")));
  }
}

const asked = () => ({ rule: rule.json ?? EVERYBODY, ...circumstances() });

/** Whether the rule is one that can be looked at; else says so. */
function hasRule(view) {
  if (rule.explanation) return true;
  if (!view.childElementCount) put(view, h("p.empty", {}, "Nothing is counted yet."));
  return false;
}

function bar(share, { pale, tick } = {}) {
  const line = h("div.hbar", { "aria-hidden": "true" });
  const add = (tag, at) => { const part = h(tag, {}); part.style[tag === "i" ? "left" : "width"] = `${Math.min(100, 100 * at)}%`; line.append(part); return part; };
  if (pale !== undefined) add("span", pale).className = "pale";
  add("span", share);
  if (tick !== undefined) add("i", tick);
  return line;
}

async function drawWhy(view) {
  if (!hasRule(view)) return;
  const found = rule.explanation;
  if (!rule.json) return put(view, h("p.empty", {}, "Nobody is left out. Add conditions to see what each of them does."));
  const title = h("h3", {}, "How many each condition has, and how many are left after it");
  const depth = path => (path.match(/\[|\.not/g) ?? []).length;
/** Whether a node of an explanation joins others. */
const isGroup = node => ["all of", "any of", "not"].includes(node.text);
  // The root is the whole; a “not” of a condition is one line.
  const only = node => node.text === "not" && found.nodes.find(inner => inner.path === `${node.path}.not` && !isGroup(inner));
  const items = found.nodes.filter(node => (found.nodes.length === 1 || node.path !== "where" || !isGroup(node) || node.text === "not")
    && !found.nodes.some(outer => only(outer) === node));
  const list = h("ol.fall", {}, items.map(node => {
    const item = h("li", {},
      h("div.line", {}, h("span.words", {}, only(node) ? `not ${only(node).text}` : node.text), h("span.figure", {}, grouped(node.count), " ", h("small", {}, percent(node.count, found.universe)))),
      bar(node.after / found.universe, { pale: node.count / found.universe }),
      h("span.small", {}, [`${grouped(node.after)} left`, node.scope?.campaigns !== null && node.scope ? `${grouped(node.scope.campaigns)} campaigns` : "",
        node.postings ? `${grouped(node.postings)} events looked at` : "", node.ways.join(", ")].filter(Boolean).join(" · ")));
    item.style.marginLeft = `${Math.max(0, depth(node.path) - 1) * 18}px`;
    return item;
  }));
  put(view, title, h("div.legend", {}, h("span", {}, "left in its group"), h("span.pale", {}, "the condition alone")), list);
}

const chosen = { by: "", bins: "", activity: "90d", unit: "day", every: "1w", compare: new Set(), person: "", format: "csv" };

/** A labelled control that redraws the view. */
function control(label, element) { return h("label", {}, label, element); }
function choice(key, options, redraw = drawView) {
  return h("select", { onchange: event => { chosen[key] = event.target.value; redraw(); } },
    options.map(([value, text]) => h("option", { value, selected: chosen[key] === value }, text)));
}

async function drawWho(view, signal) {
  if (!hasRule(view)) return;
  const fields = store.fields.filter(field => !["id", "email", "phone", "appmetrica_device_id"].includes(field.name));
  chosen.by ||= fields.find(field => field.name === "country")?.name ?? fields.at(-1).name;
  const lines = await post("breakdown", { ...asked(), by: chosen.by, top: 40, ...(chosen.bins ? { bins: chosen.bins } : {}) }, { signal });
  const name = value => value === null ? "none" : typeof value === "object" ? `${value.from ?? "…"} to ${value.to ?? "…"}` : String(value);
  const most = Math.max(...lines.map(line => Math.max(line.share, line.universe_share)), 1e-9);
  const type = store.fields.find(field => field.name === chosen.by)?.type;
  put(view, 
    h("div.row", {}, control("By", choice("by", [...fields.map(field => [field.name, field.name]), ["@reachable", "channels that reach them"]])),
      ["integer", "decimal"].includes(type) ? control("Cut at", h("input", { value: chosen.bins, placeholder: "18,25,35", size: 10, onchange: event => { chosen.bins = event.target.value.trim(); drawView(); } })) : null),
    lines.length ? h("div.table", {}, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, chosen.by === "@reachable" ? "Channel" : chosen.by), h("th.n", {}, "Profiles"), h("th.n", {}, "Share"), h("th", {}, "Here, and in all"), h("th.n", {}, "Index"))),
      h("tbody", {}, lines.map(line => {
        const value = typeof line.by === "string" ? line.by : name(line.by[chosen.by]);
        return h("tr", {}, h("td.t", {}, value), h("td.n", {}, grouped(line.count)), h("td.n", {}, percent(line.share, 1)),
          h("td.b", {}, bar(line.share / most, { tick: line.universe_share / most })), h("td.n", {}, line.index ?? "–"));
      })))) : h("p.empty", {}, "Nobody is in the segment."),
    h("div.legend", {}, h("span", {}, "share in the segment"), h("span.tick", {}, "share of all profiles"), "Index 200: twice as frequent here."));
}

/** A chart of one line over time. */
function lineChart(points, label) {
  // As wide as its place, so that its letters keep their size.
  const width = Math.max(280, Math.min(900, $("view").clientWidth - 40)), height = 220, left = 52, bottom = 24, top = 8;
  const most = Math.max(...points.map(point => point.value), 1);
  const step = niceStep(most / 4);
  const ceiling = Math.ceil(most / step) * step;
  const x = i => left + (width - left - 8) * (points.length < 2 ? 0 : i / (points.length - 1));
  const y = value => top + (height - top - bottom) * (1 - value / ceiling);
  const path = points.map((point, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (let value = 0; value <= ceiling; value += step) {
    chart.append(svg("line", { class: "grid", x1: left, x2: width - 8, y1: y(value), y2: y(value) }),
      svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  chart.append(svg("path", { class: "area", d: `${path}L${x(points.length - 1)} ${y(0)}L${x(0)} ${y(0)}Z`, opacity: .5 }), svg("path", { class: "stroke", d: path }));
  const every = Math.max(1, Math.ceil(points.length / Math.max(2, Math.floor(width / 110))));
  points.forEach((point, i) => {
    if (i % every === 0) chart.append(svg("text", { x: x(i), y: height - 6, "text-anchor": i ? "middle" : "start" }, point.name));
    const spot = svg("circle", { cx: x(i), cy: y(point.value), r: 8, opacity: 0 });
    spot.append(svg("title", {}, `${point.name}: ${grouped(point.value)}`));
    chart.append(spot);
  });
  return chart;
}

function niceStep(raw) {
  const power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= raw) ?? power * 10;
}
const short = n => n >= 1e6 ? `${+(n / 1e6).toFixed(1)} M` : n >= 1e4 ? `${+(n / 1e3).toFixed(1)} k` : grouped(n);

async function drawWhen(view, signal) {
  if (!hasRule(view)) return;
  const asOf = rule.explanation.as_of;
  const spans = { "1d": 30, "1w": 26 * 7, "1mo": 365 };
  const since = new Date(Date.parse(asOf) - spans[chosen.every] * 86400e3).toISOString();
  const { as_of: _, ...when } = asked();
  const [series, lines] = await Promise.all([
    post("series", { ...when, since, until: asOf, every: chosen.every }, { signal }),
    post("breakdown", { ...asked(), activity: chosen.activity, unit: chosen.unit }, { signal }),
  ]);
  const rows = new Map();
  const starts = [...new Set(lines.map(line => line.from))].sort();
  const days = { day: 1, week: 7, month: 30 }[chosen.unit];
  const slots = stretches(starts, days, chosen.unit);
  for (const line of lines) {
    const key = `${line.channel} ${line.event}`;
    const row = rows.get(key) ?? { total: 0, counts: new Map() };
    row.total += line.count;
    row.counts.set(line.from, line.count);
    rows.set(key, row);
  }
  put(view, 
    h("h3", {}, "How many were in it"),
    h("div.row", {}, control("Step", choice("every", [["1d", "a day, for 30 days"], ["1w", "a week, for half a year"], ["1mo", "a month, for a year"]]))),
    lineChart(series.map(point => ({ name: point.as_of.slice(0, 10), value: point.count })), `Profiles in the segment from ${since.slice(0, 10)} to ${asOf.slice(0, 10)}`),
    h("h3", {}, "What they did"),
    h("div.row", {}, control("In the last", choice("activity", [["30d", "30 days"], ["90d", "90 days"], ["1y", "year"]])),
      control("By", choice("unit", [["day", "day"], ["week", "week"], ["month", "month"]]))),
    rows.size ? h("div.table", {}, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Event"), h("th.n", {}, "All"), h("th", {}, `${slots[0]} to ${slots.at(-1)}`))),
      h("tbody", {}, [...rows].map(([name, row]) => h("tr", {}, h("td.t", {}, words(name)), h("td.n", {}, grouped(row.total)), h("td.b", {}, spark(slots.map(slot => row.counts.get(slot) ?? 0), name)))))))
      : h("p.empty", {}, "They did nothing in that time."));
}

/** All days on which stretches begin, those without events among them. */
function stretches(starts, days, unit) {
  if (!starts.length) return [];
  const all = [];
  let day = new Date(`${starts[0]}T00:00:00Z`);
  const last = new Date(`${starts.at(-1)}T00:00:00Z`);
  while (day <= last && all.length < 800) {
    all.push(day.toISOString().slice(0, 10));
    if (unit === "month") day = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1));
    else day = new Date(day.getTime() + days * 86400e3);
  }
  return all;
}

function spark(values, label) {
  const most = Math.max(...values, 1), width = 240, height = 36;
  const chart = svg("svg", { class: "chart spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `${label}: at most ${grouped(most)} at a time` });
  const step = width / values.length;
  values.forEach((value, i) => {
    if (!value) return;
    const tall = Math.max(1, value / most * (height - 2));
    chart.append(svg("rect", { class: "col", x: (i * step).toFixed(2), width: Math.max(.5, step * .8).toFixed(2), y: (height - tall).toFixed(2), height: tall.toFixed(2) }));
  });
  return chart;
}

async function drawCompare(view, signal) {
  if (!hasRule(view)) return;
  if (!store.segments.length) return put(view, h("p.empty", {}, "Save segments to see how they share their profiles."));
  const boxes = h("fieldset.card", {}, h("legend", {}, "The rule, and"), h("div.row", {}, store.segments.map(segment => h("label", {},
    h("input", { type: "checkbox", checked: chosen.compare.has(segment.name), onchange: event => { chosen.compare[event.target.checked ? "add" : "delete"](segment.name); drawView(); } }), segment.name))));
  const names = store.segments.map(segment => segment.name).filter(name => chosen.compare.has(name)).slice(0, 7);
  if (!names.length) return put(view, h("h3", {}, "How segments share their profiles"), boxes, h("p.empty", {}, "Choose one or more."));
  const found = await post("overlap", { rules: [rule.json ?? EVERYBODY, ...names.map(name => ({ segment: name }))], ...circumstances() }, { signal });
  const titles = ["the rule", ...names];
  put(view, h("h3", {}, "How segments share their profiles"), boxes,
    h("div.table", {}, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Segment"), h("th.n", {}, "Profiles"), h("th", {}, ""), h("th.n", {}, "In no other"))),
      h("tbody", {}, titles.map((title, i) => h("tr", {}, h("td.t", {}, title), h("td.n", {}, grouped(found.counts[i])), h("td.b", {}, bar(found.only[i] / found.universe, { pale: found.counts[i] / found.universe })), h("td.n", {}, grouped(found.only[i]))))))),
    h("p", {}, `${grouped(found.union)} are in one at least, ${grouped(found.intersection)} in all of them.`),
    h("div.table", {}, h("table.matrix", {}, h("caption.small", {}, "Of each, how many are in each other"), h("thead", {}, h("tr", {}, h("th", {}, "of"), titles.map(title => h("th.n", {}, title)))),
      h("tbody", {}, titles.map((title, i) => h("tr", {}, h("th", { scope: "row" }, title), titles.map((_, j) => {
        const share = found.counts[i] ? found.matrix[i][j] / found.counts[i] : 0;
        return h("td", { title: `${grouped(found.matrix[i][j])} profiles` }, i === j ? "" : percent(found.matrix[i][j], found.counts[i]), i === j ? null : bar(share));
      })))))));
}

// People ---------------------------------------------------------------------------------------

async function drawPerson(view, signal) {
  if (!chosen.person) return put(view, h("div.empty", {}, h("p", {}, "Look somebody up above, by id, e-mail, phone, or as field:value, to see what is known and why they are in or out."),
    h("button", { type: "button", onclick: () => $("person-query").focus() }, "Look up")));
  let people;
  try { people = await post("show", { what: chosen.person, limit: 10, events: "50", ...(circumstances().timezone ? { timezone: circumstances().timezone } : {}) }, { signal }); } catch (error) {
    if (error.status === 404 || error.status === 400) return put(view, h("p.empty", {}, error.message));
    throw error;
  }
  if (people.length > 1 && !people.some(person => person.id === chosen.person)) {
    return put(view, h("h3", {}, `${plural(people.length, "profile", "profiles")}${people.length === 10 ? " or more" : ""} for “${chosen.person}”`), h("ul", {}, people.map(person => h("li", {},
      h("button.link", { type: "button", onclick: () => lookUp(person.id) }, person.id), ` ${person.fields.email ?? ""}`))));
  }
  const person = people.find(person => person.id === chosen.person) ?? people[0];
  const reasons = rule.json ? await post("explain", { ...asked(), profile: person.id }, { signal }) : null;
  put(view, h("h3", {}, person.id), ...(reasons ? [drawReasons(reasons)] : []),
    h("section.card", { "aria-label": "Fields" }, h("dl", {}, Object.entries({ ...person.fields, global_status: person.global_status }).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, Array.isArray(value) ? value.join(", ") || "(none)" : String(value))]))),
    person.subscriptions.length ? list("Subscriptions", person.subscriptions.map(entry => [words(entry.channel), entry.resource, entry.status, entry.contact ?? ""])) : null,
    person.goals.length ? list(`Goals: ${grouped(person.goals_total)}`, person.goals.map(entry => [shortTime(entry.time), entry.pixel, entry.goal, entry.value ?? ""])) : null,
    person.activity.length ? list(`Activity: ${grouped(person.activity_total)}${person.activity_total > person.activity.length ? `, the newest ${person.activity.length}` : ""}`, person.activity.map(entry =>
      [shortTime(entry.time), words(entry.channel), words(entry.event) + (entry.count > 1 ? ` ×${entry.count}` : "") + (entry.machine ? " (machine)" : ""), entry.campaign ?? ""]))
      : h("p.empty", {}, "No activity is known."));
}

function list(title, rows) {
  return h("section", { "aria-label": title }, h("h3", {}, title), h("div.table", {}, h("table", {}, h("tbody", {}, rows.map(row => h("tr", {}, row.map(cell => h("td.t", {}, cell))))))));
}

function drawReasons(found) {
  return h("section.card", { "aria-label": "Why" }, h(`p.verdict.${found.matches ? "in" : "out"}`, {}, found.matches ? "✓ In the segment" : "✗ Not in the segment"),
    h("ul.why", {}, found.nodes.filter(node => !found.nodes.some(outer => outer.text === "not" && node.path === `${outer.path}.not` && !isGroup(node))).map(node => {
      const inner = node.text === "not" && found.nodes.find(other => other.path === `${node.path}.not` && !isGroup(other));
      return drawReason(node, inner || node, inner ? `not ${inner.text}` : node.text);
    })));
}

const depth = path => (path.match(/\[|\.not/g) ?? []).length;
/** Whether a node of an explanation joins others. */
const isGroup = node => ["all of", "any of", "not"].includes(node.text);

/** Why a condition holds for a person, or does not. */
function drawReason(outer, node, text) {
  const more = [];
  if (node.value !== null && node.value !== undefined) more.push(`the value is ${JSON.stringify(node.value)}`);
  if (node.count !== null && node.needed) {
    const { from, to } = node.needed;
    more.push(`${grouped(node.count)} counted, ${to === null ? `at least ${from}` : from === to ? from : `${from} to ${to}`} needed${node.object ? ` (${node.object})` : ""}`);
  }
  const last = node.deciding?.[0];
  if (last) more.push(`the latest on ${shortTime(last.time)}${last.campaign ? ` in ${last.campaign}` : ""}`);
  if (node.nearest) more.push(`nearly: ${shortTime(node.nearest.event.time)}, but not the ${node.nearest.misses.join(", ")}`);
  const item = h("li", {}, h(`span.${outer.matches ? "in" : "out"}`, { role: "img", "aria-label": outer.matches ? "holds" : "does not hold" }, outer.matches ? "✓" : "✗"),
    h("span", {}, text, more.map(line => h("small", {}, line))));
  item.style.marginLeft = `${Math.max(0, depth(outer.path)) * 14}px`;
  return item;
}

function lookUp(what) {
  chosen.person = what.trim();
  $("person-query").value = chosen.person;
  show("person");
}

// Saved segments -------------------------------------------------------------------------------

async function drawSaved(view, signal) {
  store.segments = await ask("GET", "/v1/segments", undefined, { signal });
  const name = h("input", { id: "save-name", required: true, maxLength: 255, autocomplete: "off" });
  const about = h("input", { id: "save-about", autocomplete: "off" });
  const freeze = h("input", { type: "checkbox" });
  const note = h("p.error", { role: "status" });
  const save = async replace => {
    put(note);
    try {
      await ask("PUT", `/v1/segments/${encodeURIComponent(name.value)}`, { rule: rule.json, freeze: freeze.checked, ...(about.value ? { description: about.value } : {}), ...(replace ? { replace } : {}), ...(freeze.checked ? circumstances() : {}) });
      say(`Saved ${name.value}`);
      await drawView();
      drawBlocks();
      if (rule.explanation) for (const node of nodes(rule.root)) showFigure(node, rule.explanation);
    } catch (error) {
      put(note, error.message, error.status === 409 && error.code === "cannot_create" ? h("button", { type: "button", onclick: () => save(true) }, "Replace it") : "");
    }
  };
  const form = h("form.card", { onsubmit: event => { event.preventDefault(); save(false); } }, h("h3", {}, "Save the rule"),
    h("div.row", {}, h("label", {}, "Name ", name), h("label", {}, "Description ", about), h("label", {}, freeze, "keep who is in it now"), h("button.main", { type: "submit", disabled: !rule.json }, "Save")), note);
  put(view, form, store.segments.length ? h("ul.fall", {}, store.segments.map(segment => drawSegmentCard(segment))) : h("p.empty", {}, "No segment is saved yet."));
}

function drawSegmentCard(segment) {
  const more = h("div", { role: "status" });
  const act = (title, work) => h("button", {
    type: "button", onclick: async () => { try { await work(); } catch (error) { put(more, h("p.error", {}, error.message)); } },
  }, title);
  const path = `/v1/segments/${encodeURIComponent(segment.name)}`;
  const isFrozen = segment.kind === "static";
  return h("li.card", {}, h("div.line", {}, h("strong.words", {}, segment.name), h("span.small", {}, isFrozen ? `${plural(segment.members, "member", "members")}, refreshed ${shortTime(segment.refreshed)}` : "counted when used")),
    segment.description ? h("p", {}, segment.description) : null,
    segment.used_by.length ? h("p.small", {}, `Used by ${segment.used_by.join(", ")}`) : null,
    h("div.row", {},
      act("Open", async () => {
        const found = await ask("GET", path);
        setDocument(found.rule ?? { segment: segment.name });
      }),
      act("Count", async () => {
        const found = await post("count", { rule: { segment: segment.name }, ...circumstances() });
        put(more, `${grouped(found.count)} of ${grouped(found.universe)}, ${percent(found.count, found.universe)}`);
      }),
      isFrozen ? act("Who would come and go", async () => {
        const found = await post("diff", { name: segment.name, ...circumstances() });
        const reasons = (title, count, all) => h("div", {}, h("p", {}, `${plural(count, "profile", "profiles")} would ${title}`), h("ul", {}, all.map(reason => h("li.small", {}, `${grouped(reason.count)}: ${reason.text ?? "later data put it right"}`))));
        put(more, reasons("enter", found.entered, found.entered_by), reasons("leave", found.left, found.left_by));
      }) : null,
      isFrozen ? act("Refresh", async () => {
        const [found] = await post("refresh", { name: segment.name, ...circumstances() });
        await drawView();
        say(`Refreshed: ${found.entered} entered, ${found.left} left`);
      }) : null,
      act("Remove", async () => {
        if (!confirm(`Remove “${segment.name}”?`)) return;
        await ask("DELETE", path);
        await drawView();
      })), more);
}

// Export ---------------------------------------------------------------------------------------

async function drawExport(view) {
  if (!hasRule(view)) return;
  const fields = h("fieldset.card", {}, h("legend", {}, "Fields; none chosen means all"), h("div.row", {}, store.fields.filter(field => field.name !== "id")
    .map(field => h("label", {}, h("input", { type: "checkbox", value: field.name }), field.name))));
  const limit = h("input", { type: "number", min: 1, placeholder: "all" });
  const note = h("p", { role: "status" });
  const hasFields = chosen.format === "csv" || chosen.format === "ndjson";
  put(view, h("h3", {}, `Take ${plural(rule.explanation.count, "profile", "profiles")} away`), h("form.card", {
    onsubmit: async event => {
      event.preventDefault();
      const wanted = [...fields.querySelectorAll("input:checked")].map(box => box.value);
      note.textContent = "Writing …";
      try {
        const response = await post("export", { ...asked(), format: chosen.format, ...(hasFields && wanted.length ? { fields: wanted } : {}), ...(limit.value ? { limit: Number(limit.value) } : {}) }, { raw: true });
        const blob = await response.blob();
        const link = h("a", { href: URL.createObjectURL(blob), download: `segment.${{ ids: "txt", csv: "csv", ndjson: "ndjson", roaring: "roaring" }[chosen.format]}` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        note.textContent = `${grouped(blob.size)} bytes written.`;
      } catch (error) { note.textContent = error.message; }
    },
  }, h("div.row", {}, control("As", choice("format", [["csv", "CSV"], ["ndjson", "JSON, a line each"], ["ids", "ids, a line each"], ["roaring", "Roaring bitmap of rows"]])), control("At most", limit)),
    hasFields ? fields : null, h("div.row", {}, h("button.main", { type: "submit" }, "Export"), note)));
}

// ---------------------------------------------------------------------------------------------- The address

/** What is looked at stands in the address, so that it can be copied: #text=…&as_of=…&view=who. */
function address() {
  const parts = new URLSearchParams();
  const text = $("text").value.trim();
  if (text && rule.json) parts.set("text", text);
  if ($("as-of").value && $("as-of").value !== usualTime()) parts.set("as_of", $("as-of").value);
  if ($("zone").value.trim()) parts.set("zone", $("zone").value.trim());
  if (shown !== "why") parts.set("view", shown);
  if (chosen.person && shown === "person") parts.set("person", chosen.person);
  const wanted = parts.toString();
  if (location.hash.slice(1) !== wanted) history.replaceState(null, "", wanted ? `#${wanted}` : location.pathname);
}

async function readAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  $("as-of").value = parts.get("as_of") ?? usualTime();
  $("zone").value = parts.get("zone") ?? "";
  shown = Object.hasOwn(views, parts.get("view") ?? "why") ? parts.get("view") ?? "why" : "why";
  chosen.person = parts.get("person") ?? chosen.person;
  $("person-query").value = chosen.person;
  drawTabs();
  const text = parts.get("text");
  if (!text) return setRule(null);
  $("text").value = text;
  try { setDocument(await post("rule", { text, to: "json" }), "text"); } catch (error) {
    afterChange({ from: "text" });
    if (error instanceof Refused) showError("text", error, text);
  }
}

/** Takes the token out of the address, before anything is asked. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("token")) return;
  token.value = given.get("token");
  given.delete("token");
  history.replaceState(null, "", given.size ? `#${given}` : location.pathname);
}

// ---------------------------------------------------------------------------------------------- The start

/** When rules are evaluated unless somebody says: now, or in a store whose events ended long ago the midnight after. */
function usualTime() {
  const last = store.info?.last_event && Date.parse(store.info.last_event);
  if (!last || Date.now() - last < 7 * 86400e3) return "";
  return `${new Date(last + 86400e3).toISOString().slice(0, 10)}T00:00`;
}

async function start() {
  try { await learn(); } catch (error) {
    if (error instanceof Refused && error.status !== 401) banner.show("failed", h("span", {}, error.message));
    return;
  }
  // In a store whose events ended long ago “the last 30 days” would be empty: its last event is now.
  await readAddress();
}

for (const [id, read] of [["text", readText], ["json", readJSON]])
  $(id).addEventListener("input", () => { unread = id; read(); });
$("undo").addEventListener("click", () => travel(rule.past, rule.future));
$("redo").addEventListener("click", () => travel(rule.future, rule.past));
$("clear").addEventListener("click", () => setRule(null));
$("stop").addEventListener("click", () => {
  counting.abort();
  document.body.classList.remove("busy");
  $("stop").hidden = true;
  $("timing").textContent = "Stopped.";
});
for (const id of ["as-of", "zone"]) $(id).addEventListener("change", () => { count(); address(); });
$("person-search").addEventListener("submit", event => { event.preventDefault(); if ($("person-query").value.trim()) lookUp($("person-query").value); });
document.addEventListener("keydown", event => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /^(input|textarea)$/i.test(event.target.tagName)) return;
  event.preventDefault();
  if (event.shiftKey) travel(rule.future, rule.past); else travel(rule.past, rule.future);
});
window.addEventListener("hashchange", () => { takeToken(); readAddress(); });
$("zones").replaceChildren(...(Intl.supportedValuesOf?.("timeZone") ?? []).map(value => h("option", { value })));
takeToken();
drawTabs();
start();
