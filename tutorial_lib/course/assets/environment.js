// Asks the kernel when it is drawn, and shows the answer: both directions of the wire are proven, or the
// reader sees that they are not. While later cells run the kernel answers late; then the line is corrected.
function render({ model, el }) {
  const table = document.createElement("div");
  table.innerHTML = model.get("table");
  const line = document.createElement("p");
  line.className = "course-widgets";
  line.textContent = "Widgets: asking the kernel ...";
  el.append(table, line);
  const asked = performance.now();
  const late = setTimeout(() => {
    line.textContent = "Widgets: no answer from the kernel for 20 seconds. If no cell is running, " +
      "restart the kernel and reload the page.";
  }, 20000);
  const answered = (message) => {
    if (message.kind !== "pong") return;
    clearTimeout(late);
    line.textContent = "\u2713 Widgets are connected: browser to kernel and back in " +
      Math.round(performance.now() - asked) + " ms.";
    line.style.color = "#00694a";
  };
  model.on("msg:custom", answered);
  model.send({ kind: "ping" });
  return () => { clearTimeout(late); model.off("msg:custom", answered); };
}
export default { render };
