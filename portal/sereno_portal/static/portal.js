// What pages do by themselves; all of them are complete without it.
"use strict";

// `data-reload="30"`: look again, unless somebody is writing or has opened something. The page goes only when there is
// another one: a browser's own page for a server that is away would never look again.
const reload = Number(document.querySelector("[data-reload]")?.dataset.reload);
if (reload > 0) {
  const fields = () => [...document.querySelectorAll("input, textarea, select")];
  const content = (field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value);
  const atFirst = new Map(fields().map((field) => [field, content(field)]));
  const openAtFirst = new Set(document.querySelectorAll("details[open]"));
  const isBusy = () =>
    document.hidden ||
    document.activeElement?.matches("input, textarea, select") ||
    fields().some((field) => atFirst.has(field) && content(field) !== atFirst.get(field)) ||
    [...document.querySelectorAll("details")].some((each) => each.open !== openAtFirst.has(each));

  const since = new Date().toISOString().slice(11, 16);
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  const unreached = () => {
    if (notice.isConnected) return;
    document.body.classList.add("unreached");
    document.querySelector("main").prepend(notice);
    notice.textContent = document.body.dataset.unreached.replace("{at}", since);
  };

  let isLooking = false;
  setInterval(async () => {
    if (isLooking || isBusy()) return;
    isLooking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(30000) });
      await answer.text();  // all of it came
      if (answer.status >= 500) unreached();
      else if (!isBusy()) location.reload();
    } catch {
      unreached();
    }
    isLooking = false;
  }, reload * 1000);
}

// A button on every block that people copy; its words stand on the document around it.
for (const block of document.querySelectorAll("[data-copy] .copyable")) {
  const words = block.closest("[data-copy]").dataset;
  const text = block.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.copy;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent.trimEnd());
      button.textContent = words.copied;
    } catch {
      // Over plain HTTP browsers have no clipboard for pages: the text is marked, and the keyboard copies it.
      getSelection().selectAllChildren(text);
    }
    setTimeout(() => { button.textContent = words.copy; }, 2000);
  });
  block.append(button);
}
