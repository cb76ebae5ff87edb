import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// Works out a few figures of the report once more, from the raw data and by other means than the steps
// (text and loops, no shared code), and compares. A report that is complete and plausible but wrong is
// the worst outcome of a run.

const cities = { seattle: 'Seattle', 'new-york': 'New York' };
const years = [2012, 2013, 2014, 2015];

/** What is wrong with the files of a run in this directory; empty where all is right. */
export function findDifferences(directory: string): readonly string[] {
  const differences: string[] = [];
  const expectNear = (what: string, found: unknown, wanted: number, tolerance: number): void => {
    if (typeof found === 'number' && Math.abs(found - wanted) <= tolerance) return;
    differences.push(`${what}: ${String(found)} instead of ${wanted}`);
  };
  const page = join(directory, 'report.html');
  const html = existsSync(page) ? readFileSync(page, 'utf8') : '';
  for (const [city, location] of Object.entries(cities)) {
    for (const year of years) {
      const file = `climate-${city}-${year}.json`;
      const found = readFigures(join(directory, file));
      const wanted = expectedFigures(location, year);
      expectNear(`${file}: mean temperature`, found.meanTemp, wanted.meanTemp, 0.006);
      expectNear(`${file}: precipitation`, found.precipitation, wanted.precipitation, 0.06);
      expectNear(`${file}: anomaly`, found.anomaly, wanted.anomaly, 0);
      expectNear(`${file}: CO₂`, found.co2, wanted.co2, 0.006);
      expectNear(`${file}: °C per 100 ppm`, found.per100ppm, wanted.per100ppm, 0.01);
      const row = `<td>${location}</td><td>${year}</td><td>${wanted.meanTemp.toFixed(2)}</td>`;
      if (!html.includes(row)) differences.push(`report.html: no row ${row}`);
    }
  }
  return differences;
}

interface Figures<T> {
  readonly meanTemp: T;
  readonly precipitation: T;
  readonly anomaly: T;
  readonly co2: T;
  readonly per100ppm: T;
}

function readFigures(file: string): Figures<unknown> {
  const record = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return {
    meanTemp: record.weather?.meanTemp,
    precipitation: record.weather?.precipitation,
    anomaly: record.temperature?.anomaly,
    co2: record.co2?.mean,
    per100ppm: record.fit?.per100ppm,
  };
}

function expectedFigures(location: string, year: number): Figures<number> {
  let days = 0;
  let degrees = 0;
  let precipitation = 0;
  const day = new RegExp(`^${location},${year}-.{5},([\\d.]+),([-\\d.]+),([-\\d.]+),`, 'gm');
  for (const [, rain, high, low] of readRaw('weather.csv').matchAll(day)) {
    days += 1;
    degrees += Number(high) + Number(low);
    precipitation += Number(rain);
  }
  return {
    meanTemp: degrees / 2 / days,
    precipitation,
    anomaly: anomalyOf(year),
    co2: co2Of(year),
    per100ppm: slope(year) * 100,
  };
}

function anomalyOf(year: number): number {
  return Number(new RegExp(`^${year},(.*)$`, 'm').exec(readRaw('global-temp.csv'))?.[1]);
}

function co2Of(year: number): number {
  let months = 0;
  let total = 0;
  for (const [, ppm] of readRaw('co2-concentration.csv').matchAll(
    new RegExp(`^${year}-\\d\\d-01,([\\d.]+),`, 'gm'),
  )) {
    months += 1;
    total += Number(ppm);
  }
  return total / months;
}

/** The textbook formula with plain sums, over 30 years. */
function slope(lastYear: number): number {
  let n = 0;
  let x = 0;
  let y = 0;
  let xy = 0;
  let xx = 0;
  for (let year = lastYear - 29; year <= lastYear; year++) {
    const ppm = co2Of(year);
    const anomaly = anomalyOf(year);
    n += 1;
    x += ppm;
    y += anomaly;
    xy += ppm * anomaly;
    xx += ppm * ppm;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

function readRaw(name: string): string {
  const file = new URL(`../data/${name}`, import.meta.resolve('vega-datasets'));
  return readFileSync(file, 'utf8').replaceAll('\r', '');
}
