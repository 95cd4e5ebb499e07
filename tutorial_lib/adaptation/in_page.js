// Networks that adapt in the page: the graphs of in_page.py, run by onnxruntime-web at every move of a control.
// Stands before page.js, which gives `net` (what InPage.content wrote), `ort`, and the state that the stage began with.

const REST = 300; // milliseconds after which all frames are looked at
const RADII = Array.from({ length: 109 }, (_, i) => 0.05 + (i * (1.13 - 0.05)) / 108);
const VISIBLE = 0.8; // plane radius at the middle of the image's edge

/** Whether a lens maps two points of the disc onto one: distortion.folds. */
function folds([k1, k2, k3, p1, p2], radius, samples = 257) {
  for (let i = 0; i < samples; i++) {
    const r = (radius * i) / (samples - 1), r2 = r * r, m = Math.hypot(p1, p2) * r;
    const across = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), along = 1 + r2 * (3 * k1 + r2 * (5 * k2 + r2 * 7 * k3));
    const linear = (2 * along + 6 * across) * m, c = Math.min(1, Math.max(-1, -linear / Math.max(32 * m * m, 1e-30)));
    if (16 * m * m * c * c + linear * c + along * across - 4 * m * m <= 0 || across <= 0) return true;
  }
  return false;
}

function foldNote(lens) {
  if (!folds(lens, 1.13)) return "one-to-one over the whole image";
  const first = RADII.find((r) => folds(lens, r));
  return `FOLDS from radius ${first.toFixed(2)} on, ${first < VISIBLE ? "inside the picture" : "in the corners"}`;
}

/** What happened, in one line; as the demos' own sentences in Python. */
const NOTES = {
  first: (errors, drawn) => `${drawn.map((name) => `${name.split(" ")[0]} ${errors[name][0].toFixed(0)} \u2192 ${errors[name].at(-1).toFixed(0)}`).join(", ")} mm`,
  crooked(errors, drawn, { bones, lens, labelled }) {
    const parts = labelled ? [...drawn].reverse().flatMap((name) => [
      `${name} ${errors[name][0].toFixed(0)} \u2192 ${errors[name].at(-1).toFixed(0)} mm`,
      ...(Math.abs(bones[name] - 1) > 0.2 ? [`ALARM: its bones are now ${bones[name].toFixed(2)} times as long`] : []),
    ]) : ["no moment is chosen, so no step is taken: click one"];
    return `${parts.join(", ")}; ${foldNote(lens)}`;
  },
};

let turn = Promise.resolve();
/** One job after the other, for all demos of a page: the runtime's stack is one, and its calls wait in between. */
function inTurn(job) {
  const done = turn.then(job);
  turn = done.catch(() => {});
  return done;
}

async function adapting(net, ort, begun, bytes) {
  const session = async (name) => {
    const made = await inTurn(() => ort.InferenceSession.create(bytes(net.graphs[name]), { executionProviders: ["wasm"] }));
    return { run: (feeds) => inTurn(() => made.run(feeds)) };
  };
  const graphs = {};
  for (const name of Object.keys(net.graphs)) graphs[name] = await session(name);
  const { see, look } = graphs;
  const tensor = (data, shape, type = "float32") => new ort.Tensor(type, data, shape);
  const fixed = ({ shape, data }) => tensor(data, shape);
  const data = Object.fromEntries(Object.entries(net.data).map(([name, value]) => [name, fixed(value)]));
  const networks = net.networks.map((network) => ({ ...network, vectors: network.vectors.map(fixed) }));
  const { frames, length, phases, most } = net;

  /** The frames of the window around frame `t` of a clip; the ends repeat. */
  const around = (moment) => {
    const clip = Math.floor(moment / length) * length, t = moment % length;
    return Array.from({ length: frames }, (_, i) => clip + Math.min(length - 1, Math.max(0, t + i - Math.floor(frames / 2))));
  };

  /** Every network's weights before the first and after every step, and what the pictures need. */
  async function adapt(values) {
    const lens = net.lenses ? net.lenses[values.strength] : ["k1", "k2", "k3", "p1", "p2"].map((name) => values[name]);
    const chosen = values.moments || net.moments, moments = [...chosen, ...Array(most).fill(chosen[0] || 0)].slice(0, most);
    const count = chosen.length ? values.count : 0, shown = (values.clip || 0) * length + Math.floor(length / 2);
    const seen = await see.run({
      ...data, lens: tensor(Float32Array.from(lens), [5]), angles: tensor(Float32Array.from([values.tilt || 0, values.roll ?? values.lean]), [2]),
      support: tensor(Int32Array.from(moments.flatMap(around)), [most, frames], "int32"), centres: tensor(Int32Array.from(moments), [most], "int32"),
      shown: tensor(Int32Array.from([shown, ...around(shown)]), [1 + frames], "int32"),
    });
    const used = Math.max(chosen.length, 1), share = Float32Array.from(moments, (_, i) => (i < used ? 1 / used : 0));
    const support = { keypoints: seen.keypoints, target: seen.target, share: tensor(share, [most]) };
    const paths = [], bones = {};
    for (const { title, vectors: [weights, measured], rate: own, graph } of networks) {
      const rate = values.rate || own, path = [weights];
      let start = 0;
      for (let i = 0; i <= count; i++) {
        if (i === count && !net.drawn.includes(title)) break; // after the last step, only the bones are asked for
        const taken = await graphs[graph].run({ weights: path[i], measured, rate: tensor(Float32Array.from([rate]), [1]), ...support });
        const [loss, bone] = [taken.loss.data[0], taken.bone.data[0]];
        if (!Number.isFinite(loss)) throw new Error(`the adaptation loss is ${loss} at step ${i}: lower rate=${rate}`);
        start ||= bone;
        bones[title] = bone / Math.max(start, 1e-9);
        if (i < count) path.push(taken.next);
      }
      paths.push({ title, measured, path });
    }
    return { lens, seen, paths, bones, count, labelled: chosen.length };
  }

  /** Mean errors in mm over one phase of the frames, and the shown poses: by network, step by step. */
  async function looked({ seen, paths }, phase) {
    const rows = seen.windows.dims[0] / phases, part = (value) => {
      const size = value.data.length / phases;
      return tensor(value.data.subarray(phase * size, (phase + 1) * size), [rows, ...value.dims.slice(1)]);
    };
    const [windows, truth] = [part(seen.windows), part(seen.truth)], found = {};
    for (const { title, measured, path } of paths) {
      found[title] = { errors: [], poses: [] };
      for (const weights of path) {
        const { pose, error } = await look.run({ weights, measured, first: seen.first, windows, truth, rotation: seen.rotation });
        found[title].errors.push(1000 * error.data[0]);
        found[title].poses.push(pose.data);
      }
    }
    return found;
  }

  /** The state that `view` would make in Python: the one that the stage began with, its arrays and ranges anew. */
  function pictured(taken, found, errors) {
    const { seen, count, lens } = taken, places = Float32Array.from({ length: count + 1 }, (_, i) => i);
    const axis = { shape: [count + 1], data: places }, [camera, room, curve] = begun.panes;
    const named = net.says === "crooked" && Math.max(count, 1) < 5;
    const highest = Math.max(...Object.values(errors).flat());
    return {
      ...begun,
      note: NOTES[net.says](errors, net.drawn, taken),
      panes: [
        {
          ...camera, skeletons: [{ ...camera.skeletons[0], points: { shape: [1, 17, 2], data: seen.seen.data } }],
          lines: [{ ...camera.lines[0], points: { shape: seen.grid.dims, data: seen.grid.data } }],
        },
        {
          ...room, skeletons: room.skeletons.map((skeleton) => {
            const poses = found[skeleton.name]?.poses || [seen.level.data];
            return { ...skeleton, points: { shape: [poses.length, 17, 3], data: Float32Array.from(poses.flatMap((pose) => [...pose])) } };
          }),
        },
        {
          ...curve, now: axis,
          series: curve.series.map((line) => ({ ...line, x: axis, y: { shape: [count + 1], data: Float32Array.from(errors[line.name]) } })),
          x: { ...curve.x, range: [0, Math.max(count, 1)], ticks: named ? Array.from({ length: Math.max(count, 1) + 1 }, (_, i) => [i, String(i)]) : null },
          y: { ...curve.y, range: [0, net.levels ? net.levels.find((level) => highest <= level) || net.levels.at(-1) : curve.y.range[1]] },
        },
      ],
    };
  }

  /** Draw for these values: at once from one phase of the frames, from all of them when nothing moves for a while.
   *  `draw(state, milliseconds, whole)`; `stale()` says that the values have moved on. */
  return async function compute(values, draw, stale) {
    const start = performance.now(), taken = await adapt(values), first = await looked(taken, 0);
    const errors = Object.fromEntries(Object.entries(first).map(([title, { errors: own }]) => [title, own]));
    const took = performance.now() - start;
    draw(pictured(taken, first, errors), took, phases === 1);
    if (phases === 1) return;
    await new Promise((resolve) => setTimeout(resolve, REST));
    const sums = Object.fromEntries(Object.entries(errors).map(([title, own]) => [title, [...own]]));
    for (let phase = 1; phase < phases; phase++) {
      if (stale()) return;
      for (const [title, { errors: own }] of Object.entries(await looked(taken, phase))) own.forEach((error, i) => { sums[title][i] += error; });
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (stale()) return;
    const means = Object.fromEntries(Object.entries(sums).map(([title, sum]) => [title, sum.map((v) => v / phases)]));
    draw(pictured(taken, first, means), took, true);
  };
}
