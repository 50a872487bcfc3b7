// A line chart of the last two minutes, drawn anew with every point.

const SVG = "http://www.w3.org/2000/svg";
const SPAN_MS = 120_000;
const GAP_MS = 5_000; // further apart, two points are not joined: nothing is known between them
const [HEIGHT, LEFT, BOTTOM, TOP] = [180, 64, 22, 8]; // pixels

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// The smallest of 1, 2, 5, 10, 20 … that is not below the value.
function roundedUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

export class Chart {
  // `least` is the least top of the scale; `format` makes a label of a value.
  constructor(svg, { least, format }) {
    this.svg = svg;
    this.least = least;
    this.format = format;
    this.points = [];
  }

  // Two values, null where there is none; `at` in milliseconds.
  add(at, values) {
    this.points.push({ at, values });
    this.points = this.points.filter((point) => at - point.at <= SPAN_MS);
    this.draw(at);
  }

  draw(now) {
    const all = this.points.flatMap((point) => point.values).filter((value) => value !== null);
    const top = roundedUp(Math.max(this.least, ...all));
    const { width } = this.svg.getBoundingClientRect();
    const x = (at) => width - ((now - at) / SPAN_MS) * (width - LEFT);
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
    const parts = [0, top / 2, top].flatMap((value) => [
      element("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
      element("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, this.format(value)),
    ]);
    parts.push(
      element("text", { x: LEFT, y: HEIGHT - 5 }, "2 minutes ago"),
      element("text", { x: width, y: HEIGHT - 5, "text-anchor": "end" }, "now"),
    );
    ["a", "b"].forEach((name, index) => {
      parts.push(element("path", { class: `series ${name}`, d: this.path(index, x, y) }));
    });
    this.svg.replaceChildren(...parts);
  }

  path(index, x, y) {
    let steps = "";
    let before = null;
    for (const { at, values } of this.points) {
      const value = values[index];
      if (value !== null) {
        const joined = before !== null && at - before <= GAP_MS;
        const place = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
        steps += joined ? `L${place}` : `M${place}h0`; // a point alone is a dot
      }
      before = value === null ? null : at;
    }
    return steps;
  }
}
