// Surfaces in a scene: the painter's algorithm on a 2D canvas. 2,400 triangles take a few milliseconds, half of them
// face away and are left out, and a browser's few WebGL contexts stay free.

const SHADES = 24; // as many colours as an eye tells apart on one body, so that few strings are made

/** Draw meshes, far triangles first. `inner(p)` is a place in the pane's own axes, `project(inner)` -> [x, y, depth]. */
function drawMeshes(g, theme, meshes, frame, inner, project, floor, scale) {
  const queue = [], shadow = new Path2D();
  meshes.forEach((mesh, number) => {
    const [count, corners] = [mesh.points.shape[1], mesh.faces.data], when = Math.min(frame, mesh.points.shape[0] - 1);
    const data = mesh.points.data, at = new Float32Array(5 * count); // x, y, depth; x and y of its shadow
    for (let v = 0; v < count; v++) {
      const start = 3 * (when * count + v), place = inner(data.subarray(start, start + 3));
      const [p, q] = [project(place), project([place[0], place[1], floor])];
      at[5 * v] = p[0]; at[5 * v + 1] = p[1]; at[5 * v + 2] = p[2]; at[5 * v + 3] = q[0]; at[5 * v + 4] = q[1];
    }
    const heat = mesh.values && mesh.values.data.subarray(Math.min(when, mesh.values.shape[0] - 1) * count);
    for (let f = 0; f < corners.length; f += 3) {
      const [i, j, k] = [Math.round(corners[f]), Math.round(corners[f + 1]), Math.round(corners[f + 2])];
      const [a, b, c] = [5 * i, 5 * j, 5 * k];
      const [ux, uy, vx, vy] = [at[b] - at[a], at[b + 1] - at[a + 1], at[c] - at[a], at[c + 1] - at[a + 1]];
      if ((at[b + 3] - at[a + 3]) * (at[c + 4] - at[a + 4]) < (at[b + 4] - at[a + 4]) * (at[c + 3] - at[a + 3])) {
        shadow.moveTo(at[a + 3], at[a + 4]); shadow.lineTo(at[b + 3], at[b + 4]); shadow.lineTo(at[c + 3], at[c + 4]); shadow.closePath();
      }
      const toward = uy * vx - ux * vy; // twice the area on the screen, whose y runs down; below zero: seen from inside
      if (toward <= 0) continue;
      const [uz, vz] = [scale * (at[b + 2] - at[a + 2]), scale * (at[c + 2] - at[a + 2])];
      const [right, up] = [uy * vz - uz * vy, uz * vx - ux * vz].map((x, n) => (n ? -x : x)); // the normal, in pixels
      const light = (0.85 * toward + 0.35 * up - 0.25 * right) / Math.hypot(right, up, toward);
      const level = Math.round(SHADES * clamp(0.3 + 0.7 * light, 0, 1.05));
      const hot = heat ? Math.round((SHADES * (heat[i] + heat[j] + heat[k])) / 3) : 0;
      queue.push({ depth: at[a + 2] + at[b + 2] + at[c + 2], at, a, b, c, ink: (number * (SHADES + 1) + hot) * 64 + level });
    }
  });
  if (!queue.length) return;
  g.fillStyle = css(theme.text, 0.13); g.fill(shadow);
  queue.sort((one, other) => other.depth - one.depth);
  const inks = new Map(), ink = (code) => {
    if (!inks.has(code)) {
      const [level, rest] = [code % 64, Math.floor(code / 64)], mesh = meshes[Math.floor(rest / (SHADES + 1))];
      const own = mix(theme.colour(mesh.colour), theme.colour(mesh.hot), (rest % (SHADES + 1)) / SHADES);
      inks.set(code, css(mix([0, 0, 0], own, Math.min(1, level / SHADES))));
    }
    return inks.get(code);
  };
  g.lineWidth = 0.8; g.lineJoin = "round"; g.setLineDash([]);
  for (const { at, a, b, c, ink: code } of queue) {
    g.fillStyle = g.strokeStyle = ink(code);
    g.beginPath(); g.moveTo(at[a], at[a + 1]); g.lineTo(at[b], at[b + 1]); g.lineTo(at[c], at[c + 1]); g.closePath();
    g.fill(); g.stroke(); // the pen closes the seam to the neighbour
  }
  g.lineJoin = "miter";
}
