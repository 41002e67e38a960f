// In addition to htmx: arrow keys in the search results, keyboard focus after an update, and the share button.
"use strict";

const matches = () => [...document.querySelectorAll("#matches a")];
const field = document.getElementById("q");

function clear() {
  field.value = "";
  document.getElementById("matches").replaceChildren();
}

document.addEventListener("keydown", (event) => {
  const links = matches(), at = links.indexOf(document.activeElement);
  if (event.key === "Escape" && (at >= 0 || document.activeElement === field)) { clear(); field.focus(); return; }
  if (event.key === "Enter" && document.activeElement === field) { event.preventDefault(); links[0]?.click(); return; }
  if (!links.length || (at < 0 && document.activeElement !== field)) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  (links[at + step] ?? (step < 0 ? field : links[at])).focus();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("#search")) document.getElementById("matches").replaceChildren();
});

// After an update the focus stays on the same control, or moves to the heading if the control is gone.
let label = null;
document.addEventListener("htmx:beforeSwap", () => { label = document.activeElement?.getAttribute("aria-label"); });

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "visit") return;
  if (field.value) { clear(); field.focus(); }
  if (label && document.activeElement === document.body) {
    const same = document.querySelector(`#visit [aria-label="${CSS.escape(label)}"]`);
    (same ?? document.getElementById("heading"))?.focus({ preventScroll: true });
  }
  share();
});

function share() {
  const button = document.getElementById("share");
  if (!button) return;
  button.hidden = false;
  button.onclick = async () => {
    try {
      if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ url: location.href });
      else { await navigator.clipboard.writeText(location.href); button.textContent = "Link copied"; }
    } catch { button.textContent = "Copy the address above"; }
    setTimeout(() => { button.textContent = "Share"; }, 2000);
  };
}
share();
