import { type AbRecord, temperatureRecord, weatherRecord } from './records.ts';
import { handOn, mean, readArguments, readJson, round, writeJson } from './step.ts';

// Derive AB: a city's year beside the world's.
const [weatherFile, temperatureFile] = readArguments('WEATHER_FILE', 'TEMPERATURE_FILE');
const weather = weatherRecord.parse(readJson(weatherFile));
const temperature = temperatureRecord.parse(readJson(temperatureFile));
if (weather.year !== temperature.year) {
  throw new Error(`${weatherFile} and ${temperatureFile} are of different years`);
}

const usual = mean(temperature.window.map((one) => one.value));
const record: AbRecord = {
  weather,
  temperature,
  aboveWindow: round(temperature.anomaly - usual, 3),
};
const file = `ab-${weather.city}-${weather.year}.json`;
writeJson(file, record);
handOn({ file, city: weather.city, year: weather.year, aboveWindow: record.aboveWindow });
