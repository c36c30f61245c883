// What pages do by themselves; all of them are complete without it.
"use strict";

// `data-reload="30"`: look again, unless somebody is writing.
const reload = Number(document.querySelector("[data-reload]")?.dataset.reload);
if (reload > 0) {
  setInterval(() => {
    const busy = document.activeElement?.matches("input, textarea, select") || document.hidden;
    if (!busy) location.reload();
  }, reload * 1000);
}
