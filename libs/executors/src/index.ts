export { type ExecutorCatalog, executorCatalog } from './catalog.ts';
export {
  defineFunction,
  type FunctionContext,
  type FunctionDefinition,
  type RegisteredFunction,
} from './function/define-function.ts';
export { type ExecutorRegistry, type LoadOptions, loadExecutors } from './registry.ts';
