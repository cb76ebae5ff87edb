import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type LabelValues,
  Registry,
} from 'prom-client';

/** All names start so. */
const prefix = 'runnel_';

export interface MetricOptions<Label extends string> {
  /** Without `runnel_`: `tasks_settled_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Called when the metrics are read; must be cheap whatever the size of the runs. */
  readonly read?: () => number | Promise<number>;
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds, in the unit that the name says. */
  readonly buckets: readonly number[];
}

/** The metrics of one process; made once in `main` and passed to what counts. */
export interface Metrics {
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  readonly contentType: string;
  /** In the text form that Prometheus reads. */
  text(): Promise<string>;
}

export type { Counter, Gauge, Histogram, LabelValues };

/** A registry with the process's own figures (CPU, memory, event loop) under the label `process`. */
export function createMetrics(processName: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: processName });
  collectDefaultMetrics({ register: registry, prefix });
  const base = <Label extends string>({ name, help, labels }: MetricOptions<Label>) => ({
    name: `${prefix}${name}`,
    help,
    labelNames: labels ?? [],
    registers: [registry],
  });
  return {
    counter: (options) => new Counter(base(options)),
    gauge: (options) => createGauge(base(options), options.read),
    histogram: (options) => new Histogram({ ...base(options), buckets: [...options.buckets] }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function createGauge<Label extends string>(
  base: ConstructorParameters<typeof Gauge<Label>>[0],
  read: (() => number | Promise<number>) | undefined,
): Gauge<Label> {
  if (read === undefined) return new Gauge<Label>(base);
  return new Gauge<Label>({
    ...base,
    async collect() {
      this.set(await read());
    },
  });
}
