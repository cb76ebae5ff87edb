export { type ExecutorCatalog, executorCatalog } from './catalog.ts';
export {
  defineFunction,
  type FunctionContext,
  type FunctionDefinition,
  type RegisteredFunction,
} from './function/define-function.ts';
export { loadExecutors } from './load-executors.ts';
export type { ExecutorRegistry, LoadOptions } from './registry.ts';
