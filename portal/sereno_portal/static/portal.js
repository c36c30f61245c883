// What pages do by themselves; all of them are complete without it.
"use strict";

// `data-reload="30"`: look again, unless somebody is writing.
const reload = Number(document.querySelector("[data-reload]")?.dataset.reload);
if (reload > 0) {
  setInterval(() => {
    const typed = [...document.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
    const busy = typed || document.activeElement?.matches("input, textarea, select") || document.hidden;
    if (!busy) location.reload();
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
