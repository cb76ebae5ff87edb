export { type ParsedDocument, type Position, parseDocument } from './document.ts';
export { parseDuration } from './duration.ts';
export type { ExecutorCatalog } from './entries.ts';
export {
  type ExpandOptions,
  type Expansion,
  expandSpec,
  expandSpecInTurns,
  type Validation,
  validateSpec,
} from './expand.ts';
export { runSpecJsonSchema, runSpecSchema } from './schema.ts';
export { SpecJson, type SpecOfJson } from './spec-json.ts';
export { SpecLines } from './spec-lines.ts';
export {
  type CompiledTemplate,
  compileTemplate,
  MissingOutputError,
  type RenderContext,
} from './template.ts';
export type { RefuseWebhook } from './webhooks.ts';
