import { abRecord, type ClimateRecord, co2Record, type Yearly } from './records.ts';
import { handOn, mean, readArguments, readJson, round, sum, writeJson } from './step.ts';

// Derive ABC: how the world's temperature follows carbon dioxide.
const [abFile, co2File] = readArguments('AB_FILE', 'CO2_FILE');
const ab = abRecord.parse(readJson(abFile));
const co2 = co2Record.parse(readJson(co2File));
if (ab.weather.year !== co2.year)
  throw new Error(`${abFile} and ${co2File} are of different years`);

const record: ClimateRecord = { ...ab, co2, fit: fitLine(co2.window, ab.temperature.window) };
const { city, year, meanTemp, precipitation } = ab.weather;
const file = `climate-${city}-${year}.json`;
writeJson(file, record);
handOn({
  file,
  city,
  year,
  meanTemp,
  precipitation,
  anomaly: ab.temperature.anomaly,
  co2: co2.mean,
});

function fitLine(xs: readonly Yearly[], ys: readonly Yearly[]): ClimateRecord['fit'] {
  const pairs = xs.flatMap((x) => {
    const y = ys.find((one) => one.year === x.year);
    return y === undefined ? [] : [{ x: x.value, y: y.value }];
  });
  const meanX = mean(pairs.map(({ x }) => x));
  const meanY = mean(pairs.map(({ y }) => y));
  const together = sum(pairs.map(({ x, y }) => (x - meanX) * (y - meanY)));
  const spreadX = sum(pairs.map(({ x }) => (x - meanX) ** 2));
  const spreadY = sum(pairs.map(({ y }) => (y - meanY) ** 2));
  return {
    per100ppm: round((together / spreadX) * 100, 3),
    correlation: round(together / Math.sqrt(spreadX * spreadY), 3),
  };
}
