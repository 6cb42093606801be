// The page of `nextchapter play`. Whatever a model or a person wrote is set as text, never as HTML.

const LEVELS = [
  { below: 2, name: "expected" },
  { below: 5, name: "likely enough" },
  { below: 8, name: "open" },
  { below: 12, name: "a surprise" },
  { below: 16, name: "a great surprise" },
  { below: Infinity, name: "out of the blue" },
];
const PIECES_SHOWN = 6;
const byId = (id) => document.getElementById(id);

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

// Numbers as people say them.

function percent(probability) {
  if (probability < 0.001) return "<\u00a00.1\u00a0%";
  return `${(100 * probability).toFixed(probability < 0.0995 ? 1 : 0)}\u00a0%`;
}

function chance(bits) {
  const one = 2 ** bits;
  if (one < 1.5) return "almost certain";
  return `1 in ${said(Number(one.toPrecision(2)))}`;
}

const said = (number) => number.toLocaleString("en");

const levelOf = (bits) => LEVELS.findIndex((level) => bits < level.below);

// Asking the server.

async function ask(path, body, signal) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  const response = await fetch(path, body === undefined ? {} : post);
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.problem ?? `The server failed (${response.status}); its terminal says more.`);
}

async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

// What to tell a person when something went wrong.
function explain(error) {
  if (!(error instanceof TypeError)) return error.message;
  return "The server does not answer. Is `nextchapter play` still running in its terminal?";
}

// A sheet: what one model wrote or read.

class Sheet {
  constructor(run, reads) {
    this.element = make("article", "leaf");
    this.status = make("p", "status");
    this.status.setAttribute("role", "status");
    this.prose = make("div", reads || byId("colour").checked ? "prose coloured" : "prose");
    this.prose.lang = ""; // any language, in either direction
    this.prose.dir = "auto";
    this.prose.setAttribute("role", "group");
    this.prose.setAttribute("aria-label", `Text of ${run.name}; the arrow keys go from word to word`);
    this.copy = make("button", "", "Copy");
    this.copy.type = "button";
    this.copy.addEventListener("click", () => copyText(this.prose.textContent, this.copy));
    const header = make("header");
    header.append(make("h2", "", run.name), ...(reads ? [] : [this.copy]), this.status);
    this.element.append(header, this.prose);
    this.words = 0;
  }

  addOpening(text) {
    this.prose.append(make("span", "opening", text));
  }

  // A word stands apart from the white space before it, so that only the word is coloured.
  addWord(text, told) {
    const word = text.trimStart();
    this.prose.append(text.slice(0, text.length - word.length));
    if (!word) return;
    const span = make("span", `word s${levelOf(told.bits)}`, word);
    span.tabIndex = this.words === 0 ? 0 : -1;
    span.told = { ...told, word };
    this.prose.append(span);
    this.words += 1;
  }

  tell(status) {
    this.status.textContent = status;
  }

  fail(message) {
    this.tell("");
    const problem = make("p", "problem", message);
    problem.setAttribute("role", "alert");
    this.element.append(problem);
  }
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from another machine has no clipboard, and a person may forbid it
    copyBySelection(text);
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function copyBySelection(text) {
  const area = make("textarea", "", text);
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// Writing and reading by one or two models at once.

class Work {
  constructor(form, runner) {
    this.form = form;
    this.runner = runner;
    this.sheets = form.parentElement.querySelector(".sheets");
    this.main = form.querySelector(".main");
    this.stopButton = form.querySelector(".stop");
    this.stopButton.addEventListener("click", () => this.stop());
    form.addEventListener("submit", (event) => { event.preventDefault(); this.start(); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
  }

  stop() {
    this.control?.abort();
  }

  async start() {
    this.stop();
    const control = new AbortController();
    this.control = control;
    hideCard();
    const runs = chosenRuns();
    const sheets = runs.map((run) => new Sheet(run, this.form.id === "read"));
    this.sheets.replaceChildren(...sheets.map((sheet) => sheet.element));
    this.show(true);
    if (matchMedia("(max-width: 56rem)").matches) this.sheets.scrollIntoView({ block: "start" });
    const answers = await Promise.all(runs.map((run, place) => this.runOne(run, sheets[place], control.signal)));
    if (this.control !== control) return; // another one was started meanwhile
    this.show(false);
    if (this.form.id === "read") tellVerdict(answers);
  }

  show(running) {
    const focused = document.activeElement;
    this.stopButton.hidden = !running;
    this.main.hidden = running;
    if (focused === this.main && running) this.stopButton.focus();
    if (focused === this.stopButton && !running) this.main.focus();
  }

  async runOne(run, sheet, signal) {
    sheet.tell("Getting ready …");
    sheet.prose.classList.add("writing");
    try {
      return await this.runner(run, sheet, signal);
    } catch (error) {
      if (signal.aborted) sheet.tell(`Stopped by you after ${sheet.words} words.`);
      else sheet.fail(explain(error));
    } finally {
      sheet.prose.classList.remove("writing");
    }
  }
}

async function writeChapter(run, sheet, signal) {
  const numbers = ["temperature", "top_p", "min_p", "words", "seed"].map((name) => [name, Number(byId(name).value)]);
  const asked = { run: run.address, opening: byId("opening").value, ...Object.fromEntries(numbers) };
  let ended = false;
  for await (const line of linesOf(await ask("api/write", asked, signal))) {
    ended = "ended_by" in line;
    if ("opening" in line) {
      sheet.addOpening(line.opening);
      sheet.tell("Writing …");
    } else if ("word" in line) {
      sheet.addWord(line.word, { bits: -Math.log2(line.probability), pieces: line.pieces });
    } else if (line.ended_by === "length") {
      sheet.tell(`${line.words} words. It reached the length that you have set.`);
    } else {
      sheet.tell(`${line.words} words. Here it ended the chapter by itself.`);
    }
  }
  if (!ended) throw new Error("The server broke off; its terminal says why.");
}

async function readText(run, sheet, signal) {
  sheet.tell("Reading …");
  const answer = await (await ask("api/score", { run: run.address, text: byId("text").value }, signal)).json();
  for (const word of answer.surprises) sheet.addWord(word.before + word.text, { bits: word.bits });
  sheet.status.replaceChildren(
    make("b", "", answer.bits_per_character.toFixed(2)), " bits a character · as if it chose among ",
    make("b", "", said(Math.round(answer.perplexity))), " at each step",
  );
  sheet.status.classList.add("figures");
  return answer;
}

function tellVerdict(answers) {
  const [first, second] = answers;
  const verdict = byId("verdict");
  if (!first) { verdict.textContent = ""; return; }
  if (!second) {
    verdict.textContent = "Fewer bits a character mean that it foresaw the text better; letters at random cost 4.75.";
    return;
  }
  const [better, other] = first.bits_per_character <= second.bits_per_character ? [first, second] : [second, first];
  const gain = other.bits_per_character - better.bits_per_character;
  verdict.textContent =
    `${better.run} foresees this text better than ${other.run}, by ${gain.toFixed(2)} bits a character.`;
}

// The card of a word: how likely it was, and what else might have come.

let shownWord = null;

function showCard(word) {
  hideCard();
  shownWord = word;
  word.classList.add("shown");
  word.setAttribute("aria-describedby", "card");
  const card = byId("card");
  card.replaceChildren(...describeWord(word.told));
  card.hidden = false;
  placeCard();
}

// Below its word, or above where there is more room; on a narrow screen at the foot, and the word above it.
function placeCard() {
  if (!shownWord) return;
  const card = byId("card");
  const place = shownWord.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, innerWidth - card.offsetWidth - 8));
  const above = place.bottom + card.offsetHeight + 16 > innerHeight && place.top > card.offsetHeight + 16;
  card.style.setProperty("--left", `${left}px`);
  card.style.setProperty("--top", `${above ? place.top - card.offsetHeight - 8 : place.bottom + 8}px`);
}

function uncoverWord() {
  const covered = shownWord.getBoundingClientRect().bottom + 12 - byId("card").getBoundingClientRect().top;
  if (matchMedia("(max-width: 40rem)").matches && covered > 0) scrollBy(0, covered);
}

function hideCard() {
  shownWord?.classList.remove("shown");
  shownWord?.removeAttribute("aria-describedby");
  shownWord = null;
  byId("card").hidden = true;
}

function describeWord(told) {
  const level = LEVELS[levelOf(told.bits)].name;
  const figures = `${percent(2 ** -told.bits)} · ${chance(told.bits)} · ${told.bits.toFixed(1)} bits, ${level}`;
  const parts = [make("h2", "", told.word), make("p", "chance", figures)];
  if (!told.pieces) return parts;
  if (told.pieces.length === 1) {
    return [...parts, make("p", "why", "What it thought might come here:"), listAlternatives(told.pieces[0])];
  }
  const how = make("p", "why", "It wrote this in pieces, one after the other:");
  const left = told.pieces.length - PIECES_SHOWN;
  const rest = left > 0 ? [make("p", "piece why", `and ${left} more`)] : [];
  return [...parts, how, ...told.pieces.slice(0, PIECES_SHOWN).map(describePiece), ...rest];
}

function listAlternatives(piece) {
  const list = make("ol");
  const rows = piece.alternatives.some((other) => other.written) ? piece.alternatives : [...piece.alternatives, piece];
  for (const row of rows) {
    const item = make("li", row.written ? "written" : "");
    const meter = make("meter");
    meter.value = row.probability;
    item.append(make("span", "", row.text), meter, make("span", "", percent(row.probability)));
    list.append(item);
  }
  return list;
}

function describePiece(piece) {
  const line = make("div", "piece");
  const others = piece.alternatives.filter((other) => !other.written);
  const told = others.map((other) => `${other.text}\u00a0${percent(other.probability)}`).join(" · ");
  line.append(make("b", "", piece.text), ` ${percent(piece.probability)} `, make("span", "why", `or ${told}`));
  return line;
}

const wordAt = (event) => (event.target instanceof Element ? event.target.closest(".word") : null);

function moveAmongWords(event) {
  const word = wordAt(event);
  if (!word) return;
  const words = [...word.parentElement.querySelectorAll(".word")];
  const place = words.indexOf(word);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: words.length - 1 }[event.key];
  if (next === undefined || !words[next]) return;
  event.preventDefault();
  word.tabIndex = -1;
  words[next].tabIndex = 0;
  words[next].focus();
}

function watchWords() {
  document.addEventListener("pointermove", (event) => {
    const moved = event.movementX !== 0 || event.movementY !== 0; // else the page was scrolled under the pointer
    if (event.pointerType === "touch" || !moved) return;
    const word = wordAt(event) ?? wordAt({ target: document.activeElement });
    if (!word) hideCard();
    else if (word !== shownWord) showCard(word);
  });
  document.addEventListener("focusin", (event) => {
    if (!wordAt(event)) return;
    showCard(wordAt(event));
    uncoverWord();
  });
  document.addEventListener("focusout", hideCard);
  document.addEventListener("scroll", placeCard, { passive: true });
  document.addEventListener("keydown", moveAmongWords);
}

// The desk: choosing models, tabs, settings.

let runs = [];

function chosenRuns() {
  const addresses = [byId("first").value, byId("second").value];
  return addresses.map((address) => runs.find((run) => run.address === address)).filter(Boolean);
}

function offerRuns(select) {
  for (const study of new Set(runs.map((run) => run.study))) {
    const group = make("optgroup");
    group.label = study;
    for (const run of runs.filter((one) => one.study === study)) {
      const bits = run.bits_per_character === null ? "" : ` · ${run.bits_per_character.toFixed(2)} bits a character`;
      const option = make("option", "", `${run.name}${run.champion ? " ★ champion" : ""}${bits}`);
      option.value = run.address;
      group.append(option);
    }
    select.append(group);
  }
}

function choosePanel(name) {
  for (const each of ["write", "read"]) {
    const chosen = each === name;
    byId(`${each}-panel`).hidden = !chosen;
    byId(`${each}-tab`).setAttribute("aria-selected", String(chosen));
    byId(`${each}-tab`).tabIndex = chosen ? 0 : -1;
  }
  hideCard();
}

function watchTabs() {
  for (const name of ["write", "read"]) byId(`${name}-tab`).addEventListener("click", () => choosePanel(name));
  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = event.target.id === "write-tab" ? "read" : "write";
    choosePanel(other);
    byId(`${other}-tab`).focus();
  });
}

function setUpSettings(defaults, limits) {
  byId("opening").maxLength = limits.opening;
  byId("text").maxLength = limits.text;
  const count = () => {
    byId("text-hint").textContent = `${said(byId("text").value.length)} of at most ${said(limits.text)} characters`;
  };
  byId("text").addEventListener("input", count);
  count();
  byId("words").max = limits.words;
  for (const name of ["temperature", "top_p", "min_p", "words", "seed"]) byId(name).defaultValue = defaults[name];
  byId("seed").addEventListener("invalid", () => { byId("settings").open = true; });
  byId("settings").open = !matchMedia("(max-width: 56rem)").matches;
  const show = () => {
    for (const output of document.querySelectorAll("output")) output.value = byId(output.htmlFor.value).value;
  };
  byId("write").addEventListener("input", show);
  byId("write").addEventListener("reset", (event) => {
    event.preventDefault(); // the opening stays
    for (const name of ["temperature", "top_p", "min_p", "words", "seed"]) byId(name).value = byId(name).defaultValue;
    show();
  });
  show();
}

function drawLegends() {
  for (const legend of document.querySelectorAll(".legend")) {
    legend.append(make("span", "", "Surprise in bits:"));
    LEVELS.forEach((level, place) => {
      const from = place ? LEVELS[place - 1].below : 0;
      const bits = level.below === Infinity ? `${from}+` : `${from}–${level.below}`;
      const entry = make("span");
      entry.append(make("span", `key s${place}`), `${level.name} (${bits})`);
      legend.append(entry);
    });
  }
}

function watchColour() {
  byId("colour").addEventListener("change", (event) => {
    const sheets = document.querySelectorAll("#write-panel .prose");
    for (const prose of sheets) prose.classList.toggle("coloured", event.target.checked);
    document.querySelector("#write-panel .legend").hidden = !event.target.checked;
  });
}

async function open() {
  const answer = await (await ask("api/runs")).json();
  runs = answer.runs;
  byId("empty").hidden = runs.length > 0;
  byId("desk").hidden = runs.length === 0;
  if (!runs.length) return;
  offerRuns(byId("first"));
  offerRuns(byId("second"));
  setUpSettings(answer.defaults, answer.limits);
  drawLegends();
  watchTabs();
  watchColour();
  watchWords();
  const writing = new Work(byId("write"), writeChapter);
  const reading = new Work(byId("read"), readText);
  byId("again").addEventListener("click", () => {
    byId("seed").value = Math.floor(Math.random() * 1_000_000);
    byId("write").requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hideCard();
    writing.stop();
    reading.stop();
  });
}

open().catch((error) => {
  byId("problem").textContent = explain(error);
  byId("problem").hidden = false;
});
