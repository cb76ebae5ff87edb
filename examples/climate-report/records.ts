import { z } from 'zod';

// What the steps write for one another.

const yearly = z.object({ year: z.int(), value: z.number() });
export type Yearly = z.infer<typeof yearly>;

/** `weather-<city>-<year>.json`. Temperatures in °C, precipitation in mm. */
export const weatherRecord = z.object({
  city: z.string(),
  year: z.int(),
  meanTemp: z.number(),
  precipitation: z.number(),
  wetDays: z.int(),
  frostDays: z.int(),
  hottest: z.object({ date: z.string(), temp: z.number() }),
  coldest: z.object({ date: z.string(), temp: z.number() }),
  /** Days by kind: sun, rain, fog, drizzle, snow. */
  kinds: z.record(z.string(), z.int()),
  months: z.array(z.object({ month: z.int(), meanTemp: z.number(), precipitation: z.number() })),
});
export type WeatherRecord = z.infer<typeof weatherRecord>;

/** `temperature-<year>.json`: how far the world was from the mean of 1951–1980, in °C. */
export const temperatureRecord = z.object({
  year: z.int(),
  anomaly: z.number(),
  /** The 30 years up to this one. */
  window: z.array(yearly),
});
export type TemperatureRecord = z.infer<typeof temperatureRecord>;

/** `co2-<year>.json`: yearly means in parts per million. */
export const co2Record = z.object({
  year: z.int(),
  mean: z.number(),
  /** Against the year before. */
  growth: z.number(),
  window: z.array(yearly),
});
export type Co2Record = z.infer<typeof co2Record>;

/** `ab-<city>-<year>.json`: a city's weather beside the world's temperature. */
export const abRecord = z.object({
  weather: weatherRecord,
  temperature: temperatureRecord,
  /** The year's anomaly against the mean of its 30 years. */
  aboveWindow: z.number(),
});
export type AbRecord = z.infer<typeof abRecord>;

/** `climate-<city>-<year>.json`: all three sources. */
export const climateRecord = abRecord.extend({
  co2: co2Record,
  /** Least squares over the 30 years: °C for each 100 ppm, and how well it fits. */
  fit: z.object({ per100ppm: z.number(), correlation: z.number() }),
});
export type ClimateRecord = z.infer<typeof climateRecord>;
