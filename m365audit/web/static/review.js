// Makes the pages quicker; none of them needs it. Writes text only, never markup.
"use strict";
(() => {
  const isTyping = (element) =>
    element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

  // A form with one button that somebody has been led to on purpose.
  const atOnce = document.querySelector("form[data-at-once]");
  if (atOnce) atOnce.requestSubmit();

  // A decision is sent once.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // That a person looks at a finding is noted once; reading a page changes nothing, so the page says it itself.
  const seen = document.querySelector("form[data-seen]");
  if (seen) fetch(seen.action, { method: "POST", body: new URLSearchParams(new FormData(seen)), keepalive: true }).catch(() => {});

  // Filters apply as they are chosen; without script there is the button.
  for (const field of document.querySelectorAll("form[data-apply] select, form[data-apply] input[type=checkbox]")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }

  // How many characters of a reason are still missing.
  for (const field of document.querySelectorAll("[data-least]")) {
    const told = document.getElementById(field.dataset.told);
    const tell = () => {
      const missing = Number(field.dataset.least) - field.value.trim().length;
      told.textContent = missing > 0 ? field.dataset.missing.replace("{}", missing) : field.dataset.enough;
    };
    field.addEventListener("input", tell);
    if (told) tell();
  }

  // What only some answers need is shown with them.
  for (const part of document.querySelectorAll("[data-only]")) {
    const [name, ...values] = part.dataset.only.split(" ");
    const form = part.closest("form");
    const show = () => {
      const chosen = form.elements[name] ? form.elements[name].value : "";
      part.hidden = !values.includes(chosen);
    };
    form.addEventListener("change", show);
    show();
  }

  // Clocks run.
  const clocks = [...document.querySelectorAll("[data-due]")];
  const skew = Date.parse(document.documentElement.dataset.now || "") - Date.now();
  const tick = () => {
    const now = Date.now() + (Number.isFinite(skew) ? skew : 0);
    for (const clock of clocks) {
      const seconds = Math.floor((Date.parse(clock.dataset.due) - now) / 1000);
      const minutes = Math.floor(Math.abs(seconds) / 60);
      const time = clock.dataset.form
        .replace("{h}", Math.floor(minutes / 60)).replace("{m}", String(minutes % 60).padStart(2, "0"));
      clock.textContent = (seconds < 0 ? clock.dataset.over : clock.dataset.left).replace("{}", time);
    }
  };
  if (clocks.length) setInterval(tick, 15000);

  // "/" searches; j and k go through a list; "o" or Enter opens.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      const search = document.getElementById("q");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("[data-item]")];
      const at = links.indexOf(document.activeElement);
      const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
      if (links[next]) { event.preventDefault(); links[next].focus(); links[next].scrollIntoView({ block: "nearest" }); }
    }
  });
})();
