import { handOn, readArguments, readDataset, writeCsv } from './step.ts';

// Pull C: carbon dioxide, a month a row.
readArguments();
const months = readDataset('co2-concentration.csv');
const file = 'co2.csv';
writeCsv(file, months);
handOn({ file, months: months.length });
