export {
  entriesOf,
  type GrowingGraph,
  type GrowingNode,
  GrowingReference,
  type GrowingSize,
  growingSets,
  innerOf,
  type Level,
  nameOf,
  outerOf,
  topLevel,
} from './growing-graph.ts';
export {
  attemptEnds,
  decideByStates,
  finalRunState,
  finalStates,
  type ParentEnd,
} from './model.ts';
export {
  type Draw,
  editNodes,
  fatesByName,
  fixed,
  graphOf,
  type NamedNode,
  nameNodes,
  planOfNodes,
} from './named-graph.ts';
export { findPostgres, type PostgresServer, startPostgres } from './postgres-server.ts';
export {
  type Graph,
  type GraphNode,
  graphArbitrary,
  groupOf,
  plainNode,
  planOf,
} from './random-graph.ts';
export { RedisNode } from './redis-node.ts';
export { type RedisSet, startCluster, startSentinels } from './redis-sets.ts';
export { type App, type AppProcess, Stack, type StackOptions } from './stack.ts';
export {
  type Answering,
  type ReceivedMessage,
  type Receiver,
  startReceiver,
  startReceiverAt,
} from './webhook-receiver.ts';
