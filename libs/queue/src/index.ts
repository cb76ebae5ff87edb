export {
  type ConsumeOptions,
  type Consumer,
  consumeDeliveries,
  type JobEnd,
  lockMs,
  type StartedJob,
} from './consume.ts';
export {
  type DeliveryJob,
  DeliveryQueues,
  type JobData,
  type JobPlace,
} from './delivery-queues.ts';
export { type DeliveryKey, jobId, parseQueueName, queueName, queuePrefix } from './names.ts';
