import type { Co2Record } from './records.ts';
import { handOn, mean, readArguments, readCsv, round, writeJson } from './step.ts';

// Transform C: months become yearly means, for one year and the 30 that lead up to it.
const [yearText, source] = readArguments('YEAR', 'FILE');
const year = Number(yearText);

const byYear = Map.groupBy(readCsv(source), (row) => Number(row['Date']?.slice(0, 4)));
const means = [...byYear].map(([of, months]) => ({
  year: of,
  value: round(mean(months.map((month) => Number(month['CO2']))), 2),
}));
const window = means.filter((one) => one.year > year - 30 && one.year <= year);
const own = means.find((one) => one.year === year);
const before = means.find((one) => one.year === year - 1);
if (own === undefined || before === undefined) throw new Error(`${source} does not reach ${year}`);

const file = `co2-${year}.json`;
const record: Co2Record = {
  year,
  mean: own.value,
  growth: round(own.value - before.value, 2),
  window,
};
writeJson(file, record);
handOn({ file, year, mean: own.value });
