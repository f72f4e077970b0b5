/** Buckets of several points on one time axis: a bucket without samples holds its value, a gap of the ledger breaks the line. */

/**
 * @param points rows of /api/trend; @param gaps by unit; @param width a bucket's width in ms
 * @returns data for uPlot [[s], low, high, mean, …], the gaps' spans [start, end] in s, and bad buckets [s, s]
 */
export function aligned(points, gaps, width) {
  const breaks = points.map((point) => (gaps.get(point.unit) ?? []).filter((gap) => !gap.points.length || gap.points.includes(point.id)));
  const times = new Set();
  points.forEach((point, i) => {
    for (const ms of point.t) times.add(ms);
    for (const gap of breaks[i]) times.add((gap.start_ms + gap.end_ms) / 2);
  });
  const axis = [...times].sort((a, b) => a - b);
  const data = [axis.map((ms) => ms / 1000)];
  points.forEach((point, i) => data.push(...columns(point, axis, breaks[i])));
  const spans = uniqueSpans(breaks.flat());
  const bad = points.flatMap((point) => point.t.filter((_, k) => point.q[k] > 0).map((ms) => [ms / 1000, (ms + width) / 1000]));
  return { data, spans, bad };
}

/** undefined: nothing said here, the line goes on; null: the line ends. */
function columns(point, axis, breaks) {
  const at = new Map(point.t.map((ms, k) => [ms, k]));
  const inGap = (ms) => breaks.some((gap) => ms >= gap.start_ms && ms <= gap.end_ms);
  return [point.low, point.high, point.mean].map((values) =>
    axis.map((ms) => {
      const k = at.get(ms);
      if (k !== undefined) return values[k];
      return inGap(ms) ? null : undefined;
    }),
  );
}

function uniqueSpans(gaps) {
  const seen = new Map(gaps.map((gap) => [gap.id, [gap.start_ms / 1000, gap.end_ms / 1000]]));
  return [...seen.values()];
}

/**
 * A point is told when it changes: its newest value still stands until now, also where that change was long ago. Only the
 * newest value is known here, so a time that ended before it is left as it is.
 */
export function held(point, { start_ms: start, end_ms: end }) {
  const known = point.value !== null && point.quality === 0;
  if (!known || point.t_ms > end) return point;
  const from = point.t.length ? null : start;
  const added = from === null ? [end] : [from, end];
  const more = (values) => [...values, ...added.map(() => point.value)];
  return { ...point, t: [...point.t, ...added], q: [...point.q, ...added.map(() => 0)], low: more(point.low), high: more(point.high), mean: more(point.mean) };
}
