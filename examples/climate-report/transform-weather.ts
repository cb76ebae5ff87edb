import type { WeatherRecord } from './records.ts';
import {
  type CsvRow,
  handOn,
  mean,
  readArguments,
  readCsv,
  round,
  sum,
  writeJson,
} from './step.ts';

// Transform A: the days of one year become months and a few figures.
const [city, year, source] = readArguments('CITY', 'YEAR', 'FILE');

interface Day {
  readonly date: string;
  readonly month: number;
  readonly high: number;
  readonly low: number;
  /** Between the highest and the lowest of the day. */
  readonly temp: number;
  readonly precipitation: number;
  readonly kind: string;
}

const days = readCsv(source)
  .filter((row) => row['date']?.startsWith(`${year}-`))
  .map(toDay);
if (days.length === 0) throw new Error(`${source} has no day in ${year}`);

const file = `weather-${city}-${year}.json`;
const record = describeYear(days);
writeJson(file, record);
const { meanTemp, precipitation } = record;
handOn({ file, city, year: Number(year), meanTemp, precipitation });

function toDay(row: CsvRow): Day {
  const { date = '', temp_max = '', temp_min = '', precipitation = '', weather = '' } = row;
  const high = Number(temp_max);
  const low = Number(temp_min);
  return {
    date,
    month: Number(date.slice(5, 7)),
    high,
    low,
    temp: (high + low) / 2,
    precipitation: Number(precipitation),
    kind: weather,
  };
}

function describeYear(all: readonly Day[]): WeatherRecord {
  const hottest = all.reduce((best, day) => (day.high > best.high ? day : best));
  const coldest = all.reduce((best, day) => (day.low < best.low ? day : best));
  return {
    city,
    year: Number(year),
    meanTemp: round(mean(all.map((day) => day.temp)), 2),
    precipitation: round(sum(all.map((day) => day.precipitation)), 1),
    wetDays: all.filter((day) => day.precipitation >= 1).length,
    frostDays: all.filter((day) => day.low < 0).length,
    hottest: { date: hottest.date, temp: hottest.high },
    coldest: { date: coldest.date, temp: coldest.low },
    kinds: countKinds(all),
    months: describeMonths(all),
  };
}

function countKinds(all: readonly Day[]): Record<string, number> {
  const groups = Object.entries(Object.groupBy(all, (day) => day.kind));
  return Object.fromEntries(groups.map(([kind, group]) => [kind, group?.length ?? 0]));
}

function describeMonths(all: readonly Day[]): WeatherRecord['months'] {
  const groups = Map.groupBy(all, (day) => day.month);
  return [...groups].map(([month, group]) => ({
    month,
    meanTemp: round(mean(group.map((day) => day.temp)), 2),
    precipitation: round(sum(group.map((day) => day.precipitation)), 1),
  }));
}
