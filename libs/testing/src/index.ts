export { attemptEnds, finalRunState, finalStates } from './model.ts';
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
export { type Graph, type GraphNode, graphArbitrary, groupOf, planOf } from './random-graph.ts';
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
