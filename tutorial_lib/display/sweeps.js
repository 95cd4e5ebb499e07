// Plotly's sliders know mouse and finger. This gives them the keyboard, and a name and value for screen readers; once a page.

const INSET = 10; // CSS pixels between the rail's end and its first stop, as plotly draws it

/** Put a plotly slider at a stop, as a click on its rail does. */
function clickStop(group, stop, count) {
  const rail = group.querySelector(".slider-rail-touch-rect"), box = rail.getBoundingClientRect();
  const place = { clientX: box.left + INSET + (stop / (count - 1)) * (box.width - 2 * INSET), clientY: box.top + box.height / 2, bubbles: true };
  rail.dispatchEvent(new MouseEvent("mousedown", place));
  rail.dispatchEvent(new MouseEvent("mouseup", place));
}

function teachSlider(group) {
  const plot = group.closest(".js-plotly-plot"), place = [...plot.querySelectorAll(".slider-group")].indexOf(group);
  const spec = () => plot._fullLayout?.sliders?.[place];
  if (!spec()) return;
  const tell = () => {
    const { active, steps, currentvalue } = spec(), values = { role: "slider", tabindex: 0, "aria-valuemin": 1, "aria-valuemax": steps.length };
    Object.assign(values, { "aria-valuenow": active + 1, "aria-valuetext": steps[active].label, "aria-label": (currentvalue.prefix || "slider").replace(/[:=\s]+$/, "") });
    for (const [name, value] of Object.entries(values)) group.setAttribute(name, value);
  };
  group.taught = true;
  group.addEventListener("keydown", (e) => {
    const { active, steps } = spec(), last = steps.length - 1;
    const next = { ArrowLeft: active - 1, ArrowDown: active - 1, ArrowRight: active + 1, ArrowUp: active + 1, Home: 0, End: last }[e.key];
    if (next === undefined) return;
    e.preventDefault(); e.stopPropagation();
    if (next >= 0 && next <= last) clickStop(group, next, steps.length);
  });
  plot.on("plotly_animated", tell); // at "plotly_sliderchange" the stop is still the old one
  tell();
}

function teachSliders() {
  if (window.poseSliders) return;
  let queued = 0;
  const look = () => {
    queued = 0;
    for (const group of document.querySelectorAll(".js-plotly-plot .slider-group")) if (!group.taught) teachSlider(group);
  };
  window.poseSliders = new MutationObserver(() => { queued ||= setTimeout(look, 200); });
  window.poseSliders.observe(document.body, { childList: true, subtree: true });
  look();
}
