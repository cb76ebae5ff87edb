import { handOn, readArguments, readDataset, writeCsv } from './step.ts';

// Pull A: the days of one city, as they come.
const [city] = readArguments('CITY');
const days = readDataset('weather.csv').filter((day) => slug(day['location'] ?? '') === city);
if (days.length === 0) throw new Error(`there is no weather of "${city}"`);

const file = `weather-${city}.csv`;
writeCsv(file, days);
handOn({ file, city, days: days.length });

/** `New York` is `new-york` in names of files and tasks. */
function slug(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-');
}
