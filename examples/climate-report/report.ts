import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ClimateRecord, climateRecord } from './records.ts';
import { renderPage } from './report-page.ts';
import { handOn, readJson } from './step.ts';

// Report: one self-contained page of everything. The files come from the variable FILES or as words.
const { FILES = '' } = process.env;
const files = [...FILES.split(' '), ...process.argv.slice(2)].filter((file) => file !== '');
if (files.length === 0) {
  process.stderr.write('usage: node report.ts CLIMATE_FILE…, or the same in FILES\n');
  process.exit(2);
}

const records = files.map((file) => climateRecord.parse(readJson(file))).sort(byCityAndYear);
const report = resolve('report.html');
writeFileSync(report, renderPage(records));
handOn({ report, cities: new Set(records.map(({ weather }) => weather.city)).size });

function byCityAndYear(a: ClimateRecord, b: ClimateRecord): number {
  return a.weather.city.localeCompare(b.weather.city) || a.weather.year - b.weather.year;
}
