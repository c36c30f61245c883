// The slider beside the objective, and waiting for an answer; without it the number and the page's own reload do.
"use strict";

(() => {
  const form = document.querySelector("form.asking");
  const [slo, objective, slider] = ["slo", "objective", "slider"].map((id) => document.getElementById(id));
  const steps = form.dataset.steps.split(" ").map(Number);

  const nearest = (percent) => {
    const far = (step) => Math.abs(Math.log(100 - step) - Math.log(100 - percent));
    return steps.reduce((best, step, place) => (far(step) < far(steps[best]) ? place : best), 0);
  };
  const follow = () => {
    slider.value = nearest(Number(objective.value));
    slider.setAttribute("aria-valuetext", `${objective.value} %`);
  };
  follow();
  slider.hidden = false;
  objective.addEventListener("input", follow);
  slider.addEventListener("input", () => {
    objective.value = steps[slider.value];
    slider.setAttribute("aria-valuetext", `${objective.value} %`);
  });
  // Whoever has an answer before them sees the next one without another button.
  slider.addEventListener("change", () => {
    if (document.getElementById("outcome")) form.requestSubmit();
  });
  slo.addEventListener("change", () => {
    objective.value = slo.selectedOptions[0].dataset.objective;
    follow();
  });

  const waiting = document.querySelector("[data-backtest]");
  if (!waiting) return;
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.backtest);
      // A restarted portal doesn't know it any more; the page's address asks anew.
      if (answer.status !== 404 && ["waiting", "running"].includes((await answer.json()).state)) {
        setTimeout(look, 1000);
        return;
      }
    } catch {
      setTimeout(look, 5000);
      return;
    }
    location.reload();
  };
  setTimeout(look, 700);
})();
