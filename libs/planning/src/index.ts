export { type Advice, adviseOn } from './advice.ts';
export { type ClassStatistics, readClassStatistics } from './class-statistics.ts';
export { addCounts, type DurationCounts, quantileOf } from './duration-histogram.ts';
export { estimateRest, type RestEstimate } from './estimate-rest.ts';
export { type Durations, type Estimates, fitDuration } from './estimates.ts';
export { decodeStatistics, encodeStatistics, meanOf, sumStatistics } from './history.ts';
export { measurePlan, type PlanMeasures } from './measure-plan.ts';
export { type Simulation, type SimulationOptions, simulate } from './simulate.ts';
