// Small charts as SVG text: enough for a report, nothing to install.

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Shown under the point where given. */
  readonly label?: string;
}

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly Point[];
}

export interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly xTicks: readonly { readonly at: number; readonly label: string }[];
}

const width = 720;
const height = 300;
const margin = { top: 14, right: 16, bottom: 34, left: 44 };

/** Lines over a common axis. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const points = series.flatMap((one) => one.points);
  const scale = scaleFor(points, { fromZero: false });
  const lines = series.map(({ points: own, color, name }) => {
    const path = own.map(({ x, y }, index) => `${index ? 'L' : 'M'}${scale.x(x)} ${scale.y(y)}`);
    return `<path class="line" d="${path.join('')}" stroke="${color}"><title>${escapeHtml(name)}</title></path>`;
  });
  return frame(scale, options, lines.join(''));
}

/** Groups of bars, one group for each x, one bar in it for each series. */
export function barChart(series: readonly Series[], options: ChartOptions): string {
  const points = series.flatMap((one) => one.points);
  const scale = scaleFor(points, { fromZero: true, padX: 0.5 });
  const step = scale.x(1) - scale.x(0);
  const bar = (step * 0.7) / series.length;
  const bars = series.flatMap(({ points: own, color, name }, index) =>
    own.map(({ x, y }) => {
      const left = scale.x(x) - step * 0.35 + index * bar;
      const title = `${escapeHtml(name)}, ${x}: ${y} ${options.unit}`;
      return `<rect x="${fix(left)}" y="${scale.y(y)}" width="${fix(bar - 3)}" height="${fix(scale.y(0) - scale.y(y))}" rx="2" fill="${color}"><title>${title}</title></rect>`;
    }),
  );
  return frame(scale, options, bars.join(''));
}

/** Points, with the straight line that fits them best where its ends are given. */
export function scatterChart(
  series: Series,
  line: readonly Point[],
  options: ChartOptions,
): string {
  const scale = scaleFor([...series.points, ...line], { fromZero: false, padX: 2 });
  const path = line.map(({ x, y }, index) => `${index ? 'L' : 'M'}${scale.x(x)} ${scale.y(y)}`);
  const dots = series.points.map(({ x, y, label }) => {
    const text =
      label === undefined
        ? ''
        : `<text x="${scale.x(x)}" y="${fix(scale.y(y) + 19)}" text-anchor="middle">${escapeHtml(label)}</text>`;
    return `<circle cx="${scale.x(x)}" cy="${scale.y(y)}" r="${label === undefined ? 3.5 : 5}" fill="${series.color}"/>${text}`;
  });
  return frame(scale, options, `<path class="fit" d="${path.join('')}"/>${dots.join('')}`);
}

/** One bar of parts that add up to the whole width. */
export function shareBar(
  parts: readonly { readonly name: string; readonly value: number; readonly color: string }[],
): string {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  let left = 0;
  const rects = parts.map(({ name, value, color }) => {
    const size = (value / total) * width;
    const text =
      size > 44 ? `<text class="on" x="${fix(left + size / 2)}" y="20">${value}</text>` : '';
    const rect = `<rect x="${fix(left)}" y="0" width="${fix(Math.max(0, size - 2))}" height="30" rx="3" fill="${color}"><title>${escapeHtml(name)}: ${value} days</title></rect>${text}`;
    left += size;
    return rect;
  });
  return `<svg viewBox="0 0 ${width} 30" role="img">${rects.join('')}</svg>`;
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly yTicks: readonly number[];
}

function scaleFor(
  points: readonly Point[],
  { fromZero, padX = 0 }: { readonly fromZero: boolean; readonly padX?: number },
): Scale {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const left = Math.min(...xs) - padX;
  const right = Math.max(...xs) + padX;
  const yTicks = roundTicks(fromZero ? 0 : Math.min(...ys), Math.max(...ys));
  const bottom = yTicks[0] ?? 0;
  const top = yTicks.at(-1) ?? 1;
  const plotWidth = width - margin.left - margin.right;
  const plotHeight = height - margin.top - margin.bottom;
  return {
    x: (value) => fix(margin.left + ((value - left) / (right - left)) * plotWidth),
    y: (value) => fix(margin.top + (1 - (value - bottom) / (top - bottom)) * plotHeight),
    yTicks,
  };
}

/** About five round numbers from below the lowest to above the highest. */
function roundTicks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(6)),
  );
}

function frame(scale: Scale, { title, unit, xTicks }: ChartOptions, content: string): string {
  const grid = scale.yTicks.map(
    (tick) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${scale.y(tick)}" y2="${scale.y(tick)}"/><text x="${margin.left - 8}" y="${scale.y(tick) + 4}" text-anchor="end">${tick}</text>`,
  );
  const labels = xTicks.map(
    ({ at, label }) =>
      `<text x="${scale.x(at)}" y="${height - margin.bottom + 20}" text-anchor="middle">${escapeHtml(label)}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`${title} (${unit})`)}"><g class="grid">${grid.join('')}${labels.join('')}</g>${content}</svg>`;
}

function fix(value: number): number {
  return Number(value.toFixed(1));
}
