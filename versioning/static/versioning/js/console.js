// Comfort on top of pages that work without it. No state is kept here.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const announce = (text) => {
  const region = $("#announcement");
  if (region) region.textContent = text;
};

// A form that was sent waits for its answer; a second press does nothing.
const sent = new Set();

function busy(form, button) {
  sent.add(form);
  form.setAttribute("aria-busy", "true");
  button?.setAttribute("aria-disabled", "true");
}

function free(form) {
  sent.delete(form);
  form.removeAttribute("aria-busy");
  for (const button of form.elements) button.removeAttribute("aria-disabled");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter?.formMethod === "dialog" || form.method !== "post") return;
  if (sent.has(form)) return event.preventDefault();
  busy(form, event.submitter);
});
// HTMX stops the event above for its own requests, and says when one is over.
document.addEventListener("htmx:beforeRequest", ({ target, detail }) => {
  if (target.matches("form")) busy(target, detail.requestConfig.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", ({ target }) => {
  if (target.matches("form")) free(target);
});
// Back brings a page as it was left: free it.
addEventListener("pageshow", () => [...sent].forEach(free));

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not a secure context, or refused: the full text stays in sight to be selected.
    return announce(`Could not copy. The full text is ${text}`);
  }
  const use = $("use", button);
  const drawn = use?.getAttribute("href");
  use?.setAttribute("href", drawn.replace(/#.*/, "#check"));
  button.classList.add("is-copied");
  announce("Copied");
  setTimeout(() => {
    use?.setAttribute("href", drawn);
    button.classList.remove("is-copied");
  }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  if (event.target.closest("[data-shortcuts]")) $("#shortcuts")?.showModal();
});

// Typing narrows a list; Enter takes what is left if that is one.
const shown = (list) => [...list.children].filter((item) => !item.hidden);

document.addEventListener("input", ({ target }) => {
  const list = target.dataset?.filter && $(target.dataset.filter);
  if (!list) return;
  const wanted = target.value.trim().toLowerCase();
  for (const item of list.children)
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  const empty = $("[data-filter-empty]", list.parentElement);
  if (empty) empty.hidden = shown(list).length > 0;
});

document.addEventListener("keydown", (event) => {
  const list = event.target.dataset?.filter && $(event.target.dataset.filter);
  if (!list) return;
  const items = shown(list);
  if (event.key === "ArrowDown" || (event.key === "Enter" && items.length === 1)) {
    event.preventDefault();
    const button = $("button, a", items[0] ?? list);
    if (event.key === "Enter") button?.click();
    else button?.focus();
  }
});

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const menu = step && event.target.closest?.(".menu");
  if (!menu || event.target.matches("input")) return;
  const items = [...menu.querySelectorAll("li:not([hidden]) button, .menu__item")];
  const places = [...new Set(items)];
  event.preventDefault();
  places[(places.indexOf(event.target) + step + places.length) % places.length]?.focus();
});

// Typing a value chooses it; choosing to type one waits for the typing.
document.addEventListener("input", ({ target }) => {
  const radio = target.dataset?.picks && document.getElementById(target.dataset.picks);
  if (radio) radio.checked = true;
});
document.addEventListener(
  "change",
  (event) => {
    const typed = $(`[data-picks="${CSS.escape(event.target.id || "-")}"]`);
    if (!typed || (typed.matches("textarea") && typed.value !== typed.defaultValue)) return;
    event.stopPropagation();
    typed.focus();
  },
  true,
);

// Focus goes where the change is: to what asks for it, as a field that is refused
// does, else back to where it was if the swap took the focused element away, else to
// what was swapped in. What comes without being asked takes none. What asked once
// has had its turn: of rows that were added one by one, the newest asks.
const focusWithin = (root) => {
  const asking = (asks) => (root.matches?.(asks) ? root : $(asks, root));
  const wanted = asking("[data-focus]") ?? asking("[aria-invalid=true]");
  wanted?.focus();
  wanted?.removeAttribute("data-focus");
  return Boolean(wanted);
};
focusWithin(document);

const STOPS = "a[href], button, input, textarea, select, summary, [tabindex]";
let left = null; // where focus was: in what, and the how manieth place of it

document.addEventListener("htmx:beforeSwap", () => {
  const at = document.activeElement;
  const around = at?.closest("main [id]");
  const place = around && [...around.querySelectorAll(STOPS)].indexOf(at);
  left = around && { id: around.id, place, kind: at.tagName };
});

// What is settled folds: then to the first place in it that is in sight.
function backToWhereItWas() {
  const around = left && document.getElementById(left.id);
  if (!around) return false;
  const places = [...around.querySelectorAll(STOPS)];
  const same = left.place < 0 ? around : places[left.place];
  if (same?.tagName === left.kind) places.unshift(same);
  return places.some((place) => {
    place.focus({ preventScroll: true });
    return document.activeElement === place;
  });
}

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const part = detail.elt;
  if (part.matches("[data-live]")) return announce(part.textContent.trim());
  if (!detail.requestConfig?.triggeringEvent) {
    // hx-trigger="load"
    const news = $("[data-announce]", part);
    return news && announce(news.textContent.trim().replace(/\s+/g, " "));
  }
  if (focusWithin(part) || document.activeElement !== document.body) return;
  if (backToWhereItWas()) return;
  if (!part.hasAttribute("tabindex")) part.setAttribute("tabindex", "-1");
  part.focus({ preventScroll: true });
});

// What gets no answer, or one that takes the place of nothing, is told where it was
// asked for. A choice that is kept at once is set back to what the page knows as kept.
const told = new WeakMap(); // by what asked

function tell(asker, request, words) {
  const box = $("#unanswered").content.firstElementChild.cloneNode(true);
  const asked = request.triggeringEvent;
  const isForm = asker.matches("form");
  if (isForm && asked?.type === "change")
    for (const radio of asker.querySelectorAll("input[type=radio]"))
      radio.checked = radio.defaultChecked;
  $("p", box).textContent = words;
  const again = $("a", box);
  // Opening a form again would lose what is typed in it.
  if (asker.form?.method === "post") again.parentElement.remove();
  else again.href = location.pathname + location.search; // not to a place on it
  told.get(asker)?.remove();
  told.set(asker, box);
  const line = isForm && asked?.target.closest?.(".settle");
  if (line) line.append(box);
  else if (asker.isConnected) (asker.matches("input") ? asker.form : asker).after(box);
  else $("main").prepend(box);
}

document.addEventListener("htmx:beforeRequest", ({ target }) => told.get(target)?.remove());
document.addEventListener("htmx:responseError", ({ target, detail }) => {
  if (target.matches("[data-live]")) return;
  // The page that says it, in its words: what is wrong, and what became of the work.
  const page = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  const title = $("h1", page);
  const said = [title, ...(title?.parentElement.children ?? [])]
    .filter((part, n) => part && (n === 0 || part.matches("p:not(:has(a, button))")))
    .map((part) => part.textContent.trim());
  if (said.length) said[0] += ".";
  tell(target, detail.requestConfig, said.join(" ") || "The server could not answer that.");
});
document.addEventListener("htmx:sendError", ({ target, detail }) => {
  if (target.matches("[data-live]")) return;
  const isSent = detail.requestConfig.verb !== "get";
  const words = "The server could not be reached.";
  tell(
    target,
    detail.requestConfig,
    isSent ? `${words} As far as this page knows, what you did is not kept.` : words,
  );
});

// A page that has gone stale says so. It asks while it is in sight and somebody is
// there, and never changes what is being read.
const IDLE = 5 * 60 * 1000; // milliseconds
const live = $("[data-live]");
if (live) {
  let active = Date.now();
  const look = () => {
    if (!document.hidden && Date.now() - active < IDLE) htmx.trigger(live, "look");
  };
  for (const type of ["pointerdown", "pointermove", "keydown", "scroll"])
    addEventListener(type, () => (active = Date.now()), { passive: true });
  document.addEventListener("visibilitychange", () => {
    active = Date.now();
    look();
  });
  setInterval(look, Number(live.dataset.live) * 1000);
  // What is no note, as a page of an error, is not shown.
  live.addEventListener("htmx:beforeSwap", ({ detail }) => {
    detail.shouldSwap = detail.xhr.status === 200;
    detail.isError = false;
  });
}

// Shortcuts: g and a letter to go, / to search, j and k along a list, ? for the list.
let going = 0;

const STEPS = ".commits > *, .data > tbody > tr, .diff > tbody, .edit, .conflict, .poll-card";
const STEPPED = "[data-stepped]";

function step(by) {
  const places = [...$("main").querySelectorAll(STEPS)].filter(
    (place) => place.getClientRects().length && !place.parentElement.closest(STEPS),
  );
  if (!places.length) return;
  const now = places.indexOf($(STEPPED));
  const place = places[now < 0 ? (by > 0 ? 0 : places.length - 1) : now + by];
  if (!place) return;
  for (const old of document.querySelectorAll(STEPPED)) old.removeAttribute("data-stepped");
  place.dataset.stepped = "";
  if (!place.hasAttribute("tabindex")) place.setAttribute("tabindex", "-1");
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
}

const open = (place) => $("a[href], summary, button", place)?.click();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  if (event.key === "?") return $("#shortcuts")?.showModal();
  if (event.key === "/") {
    const search = $("main input[type=search]") ?? $("[data-filter]");
    if (!search) return;
    event.preventDefault();
    search.closest("[popover]")?.showPopover();
    return search.focus();
  }
  if (event.key === "j" || event.key === "k") return step(event.key === "j" ? 1 : -1);
  const at = $(STEPPED);
  if (at && (event.key === "o" || (event.key === "Enter" && event.target === at)))
    return open(at);
  if (event.key === "g") return (going = event.timeStamp);
  if (event.timeStamp - going < 1500) $(`[data-go="${CSS.escape(event.key)}"]`)?.click();
  going = 0;
});

// What was folded stays folded, in this browser.
for (const box of document.querySelectorAll("details[data-remember]")) {
  const key = `folded:${box.dataset.remember}`;
  box.open = localStorage.getItem(key) === null;
  box.addEventListener("toggle", () => {
    if (box.open) localStorage.removeItem(key);
    else localStorage.setItem(key, "1");
  });
}

// Paper has no folds: what is folded is printed, and folded again.
const unfolded = new Set();
addEventListener("beforeprint", () => {
  for (const box of document.querySelectorAll("main details:not([open])")) {
    box.open = true;
    unfolded.add(box);
  }
});
addEventListener("afterprint", () => {
  for (const box of unfolded) box.open = false;
  unfolded.clear();
});
