export {
  type ConsumeOptions,
  type Consumer,
  consumeDeliveries,
  type JobEnd,
  lockMs,
  type StartedJob,
} from './consume.ts';
export { type DeliveryJob, DeliveryQueues, type JobData } from './delivery-queues.ts';
export { jobId, parseQueueName, queueName, queuePrefix } from './names.ts';
