import { barChart, escapeHtml, lineChart, scatterChart, shareBar } from './charts.ts';
import type { ClimateRecord, Yearly } from './records.ts';
import { reportStyle } from './report-style.ts';

const cityColors = ['#d9480f', '#1c5fb8', '#2b8a3e', '#862e9c'];
const kindColors: Readonly<Record<string, string>> = {
  sun: '#e8a317',
  drizzle: '#7fb5d5',
  rain: '#2f6fab',
  fog: '#9aa5b1',
  snow: '#5c4d9e',
};

/** The whole report: HTML with its style and charts inside, so that the file can be sent around. */
export function renderPage(records: readonly ClimateRecord[]): string {
  const years = [...new Set(records.map(({ weather }) => weather.year))].sort();
  const span = `${years[0]}–${years.at(-1)}`;
  const cities = groupByCity(records);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Climate report ${span}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><h1>Climate report</h1><p>${escapeHtml(cities.map(({ name }) => name).join(' and '))}, ${span}, beside the world</p></header>
${renderCards(records)}
${renderTemperatures(cities)}
${renderPrecipitation(cities, years)}
${renderKinds(cities)}
${renderWorld(records)}
${renderTable(records)}
<footer>Data: vega-datasets (NOAA weather of both cities, NASA GISTEMP, Mauna Loa CO₂). Drawn by a run of Runnel.</footer>
</main>
</body>
</html>
`;
}

interface City {
  readonly name: string;
  readonly color: string;
  readonly records: readonly ClimateRecord[];
}

function groupByCity(records: readonly ClimateRecord[]): readonly City[] {
  const groups = Map.groupBy(records, ({ weather }) => weather.city);
  return [...groups].map(([slug, own], index) => ({
    name: cityName(slug),
    color: cityColors[index % cityColors.length] ?? '#333',
    records: own,
  }));
}

/** `new-york` as `New York`. */
function cityName(slug: string): string {
  return slug.replace(
    /(^|-)(\w)/g,
    (_, dash: string, letter: string) => (dash ? ' ' : '') + letter.toUpperCase(),
  );
}

function renderCards(records: readonly ClimateRecord[]): string {
  const byHeat = [...records].sort((a, b) => b.weather.hottest.temp - a.weather.hottest.temp);
  const byRain = [...records].sort((a, b) => b.weather.precipitation - a.weather.precipitation);
  const latest = records.reduce((last, one) => (one.co2.year > last.co2.year ? one : last));
  const hottest = byHeat[0]?.weather;
  const wettest = byRain[0]?.weather;
  const cards = [
    [
      `${hottest?.hottest.temp} °C`,
      `hottest day: ${cityName(hottest?.city ?? '')}, ${hottest?.hottest.date}`,
    ],
    [
      `${wettest?.precipitation} mm`,
      `wettest year: ${cityName(wettest?.city ?? '')}, ${wettest?.year}`,
    ],
    [`+${latest.temperature.anomaly} °C`, `the world in ${latest.co2.year}, against 1951–1980`],
    [
      `${latest.co2.mean} ppm`,
      `CO₂ in ${latest.co2.year}, ${latest.co2.growth} more than a year before`,
    ],
  ];
  const html = cards.map(
    ([figure = '', text = '']) =>
      `<div class="card"><b>${escapeHtml(figure)}</b><span>${escapeHtml(text)}</span></div>`,
  );
  return `<section class="cards">${html.join('')}</section>`;
}

function renderTemperatures(cities: readonly City[]): string {
  const series = cities.map(({ name, color, records }) => ({
    name,
    color,
    points: records.flatMap(({ weather }) =>
      weather.months.map(({ month, meanTemp }) => ({
        x: weather.year + (month - 0.5) / 12,
        y: meanTemp,
      })),
    ),
  }));
  const years = [
    ...new Set(cities.flatMap(({ records }) => records.map(({ weather }) => weather.year))),
  ];
  const xTicks = years.map((year) => ({ at: year + 0.5, label: String(year) }));
  const chart = lineChart(series, { title: 'Monthly mean temperature', unit: '°C', xTicks });
  return section('Monthly mean temperature', '°C', legend(cities), chart);
}

function renderPrecipitation(cities: readonly City[], years: readonly number[]): string {
  const series = cities.map(({ name, color, records }) => ({
    name,
    color,
    points: records.map(({ weather }) => ({ x: weather.year, y: weather.precipitation })),
  }));
  const xTicks = years.map((year) => ({ at: year, label: String(year) }));
  const chart = barChart(series, { title: 'Precipitation', unit: 'mm', xTicks });
  return section('Precipitation', 'mm a year', legend(cities), chart);
}

function renderKinds(cities: readonly City[]): string {
  const kinds = Object.entries(kindColors).map(([name, color]) => ({ name, color }));
  const bars = cities.map(({ name, records }) => {
    const parts = kinds.map((kind) => ({
      ...kind,
      value: records.reduce((days, { weather }) => days + (weather.kinds[kind.name] ?? 0), 0),
    }));
    return `<h3>${escapeHtml(name)}</h3>${shareBar(parts)}`;
  });
  return section('Days by weather', 'all years together', legend(kinds), bars.join(''));
}

function renderWorld(records: readonly ClimateRecord[]): string {
  const co2 = mergeYears(records.map((record) => record.co2.window));
  const temperature = mergeYears(records.map((record) => record.temperature.window));
  const reported = new Set(records.map(({ weather }) => weather.year));
  const points = [...co2].flatMap(([year, x]) => {
    const y = temperature.get(year);
    if (y === undefined) return [];
    return [reported.has(year) ? { x, y, label: `’${year % 100}` } : { x, y }];
  });
  const latest = records.reduce((last, one) => (one.co2.year > last.co2.year ? one : last));
  const { per100ppm, correlation } = latest.fit;
  const xs = latest.co2.window.map(({ value }) => value);
  const centreX = average(xs);
  const centreY = average(latest.temperature.window.map(({ value }) => value));
  const ends = [Math.min(...xs), Math.max(...xs)].map((x) => ({
    x,
    y: centreY + ((x - centreX) * per100ppm) / 100,
  }));
  const xTicks = [340, 350, 360, 370, 380, 390, 400].map((at) => ({ at, label: `${at} ppm` }));
  const series = { name: 'years', color: '#495057', points };
  const chart = scatterChart(series, ends, {
    title: 'Temperature against CO₂',
    unit: '°C',
    xTicks,
  });
  const text = `<p>In the 30 years to ${latest.co2.year}, each 100 ppm of CO₂ went with <b>${per100ppm} °C</b> (correlation ${correlation}).</p>`;
  return section('The world: temperature against CO₂', '°C against 1951–1980', text, chart);
}

function mergeYears(windows: readonly (readonly Yearly[])[]): ReadonlyMap<number, number> {
  return new Map(windows.flat().map(({ year, value }) => [year, value]));
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function renderTable(records: readonly ClimateRecord[]): string {
  const heads = [
    'City',
    'Year',
    'Mean °C',
    'Hottest °C',
    'Coldest °C',
    'Precip. mm',
    'Wet',
    'Frost',
    'World °C',
    'CO₂ ppm',
  ];
  const rows = records.map(({ weather, temperature, co2 }) => {
    const cells = [
      cityName(weather.city),
      weather.year,
      weather.meanTemp.toFixed(2),
      weather.hottest.temp.toFixed(1),
      weather.coldest.temp.toFixed(1),
      weather.precipitation.toFixed(1),
      weather.wetDays,
      weather.frostDays,
      `+${temperature.anomaly.toFixed(2)}`,
      co2.mean.toFixed(2),
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`;
  });
  const head = heads.map((name) => `<th>${name}</th>`).join('');
  const table = `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
  return section('Figures', 'wet: days with 1 mm or more; frost: days below 0 °C', '', table);
}

function legend(entries: readonly { readonly name: string; readonly color: string }[]): string {
  const items = entries.map(
    ({ name, color }) => `<li><i style="background:${color}"></i>${escapeHtml(name)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

function section(title: string, unit: string, intro: string, content: string): string {
  return `<section><h2>${escapeHtml(title)} <small>${escapeHtml(unit)}</small></h2>${intro}${content}</section>`;
}
