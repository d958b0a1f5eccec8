// What every page needs: dialogs, closing menus, relative times. Pages work without it.
"use strict";
(() => {
  document.documentElement.classList.add("js");

  // Opens a dialog; one inside a form repeats what is about to be sent.
  const ask = (dialog) => {
    const form = dialog.closest("form");
    const field = form && form.querySelector("[data-echo-value]");
    const echo = dialog.querySelector("[data-echo]");
    if (field && echo) echo.textContent = field.selectedOptions ? field.selectedOptions[0].textContent : field.value;
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog && (!opener.form || opener.form.reportValidity())) ask(dialog);
      return;
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) closer.closest("dialog").close();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A form is sent once: a second press of a slow button would do the thing twice.
  document.addEventListener("submit", (event) => {
    // Enter in a field of a form that asks first opens the question, too.
    const question = event.target.dataset.ask && document.getElementById(event.target.dataset.ask);
    if (question && !question.open) {
      event.preventDefault();
      ask(question);
      return;
    }
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "true";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // <time datetime="…" data-relative>: “3 minutes ago”, kept up to date; the full time stays in the title.
  const language = document.documentElement.lang || "vi";
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 365]];
  const refreshTimes = () => {
    for (const element of document.querySelectorAll("time[data-relative]")) {
      let amount = (Date.parse(element.dateTime) - Date.now()) / 1000;
      if (!Number.isFinite(amount)) continue;
      let unit = "year";
      for (const [name, size] of steps) {
        if (Math.abs(amount) < size) { unit = name; break; }
        amount /= size;
      }
      if (!element.title) element.title = element.textContent;
      element.textContent = relative.format(Math.round(amount), unit);
    }
  };
  refreshTimes();
  setInterval(refreshTimes, 5000);
  document.addEventListener("console:refresh", refreshTimes);
})();
