import type { TemperatureRecord } from './records.ts';
import { handOn, readArguments, readCsv, writeJson } from './step.ts';

// Transform B: one year with the 30 years that lead up to it.
const [yearText, source] = readArguments('YEAR', 'FILE');
const year = Number(yearText);

const all = readCsv(source).map((row) => ({
  year: Number(row['year']),
  value: Number(row['temp']),
}));
const window = all.filter((one) => one.year > year - 30 && one.year <= year);
const own = window.find((one) => one.year === year);
if (own === undefined) throw new Error(`${source} does not reach ${year}`);

const file = `temperature-${year}.json`;
const record: TemperatureRecord = { year, anomaly: own.value, window };
writeJson(file, record);
handOn({ file, year, anomaly: own.value });
