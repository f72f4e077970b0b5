/** What History shows: which points, from when to when, and whether it follows now; read from and written to the address. */

const DEFAULT_MS = 600_000;
const SHORTEST_MS = 2_000;
const LONGEST_MS = 400 * 86_400_000;

export class View {
  static MOST = 12;

  constructor(points, start, end, follow) {
    [this.points, this.start, this.end, this.follow] = [points, start, end, follow];
  }

  static fromAddress(now) {
    const query = new URLSearchParams(location.search);
    const points = (query.get("points") ?? "").split(",").filter(Boolean).slice(0, View.MOST);
    const [start, end] = [Number(query.get("start")), Number(query.get("end"))];
    if (start && end > start) return new View(points, start, end, false);
    const span = Number(query.get("span")) * 1000 || DEFAULT_MS;
    return new View(points, now - span, now, true);
  }

  get span() {
    return this.end - this.start;
  }

  /** Add or take away a point; false where there is no more room. */
  pick(path, on) {
    this.points = this.points.filter((p) => p !== path);
    if (!on) return true;
    if (this.points.length >= View.MOST) return false;
    this.points.push(path);
    return true;
  }

  show(start, end) {
    const middle = (start + end) / 2;
    const half = Math.min(Math.max(end - start, SHORTEST_MS), LONGEST_MS) / 2;
    [this.start, this.end] = [Math.round(middle - half), Math.round(middle + half)];
  }

  follow_(now) {
    this.show(now - this.span, now);
  }

  times() {
    return `start=${this.start}000000&end=${this.end}000000`;
  }

  question() {
    return `${this.points.map((path) => `points=${encodeURIComponent(path)}`).join("&")}&${this.times()}`;
  }

  address() {
    const points = this.points.map(encodeURIComponent).join(",").replaceAll("%2F", "/");
    const when = this.follow ? `span=${Math.round(this.span / 1000)}` : `start=${this.start}&end=${this.end}`;
    return `?${points ? `points=${points}&` : ""}${when}`;
  }
}
