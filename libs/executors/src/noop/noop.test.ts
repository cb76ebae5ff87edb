import { executorSuite } from '@runnel/testing/executor-suite';
import { noop } from './index.ts';

executorSuite('noop', {
  executor: noop,
  cases: {
    success: {},
    output: { details: { output: { file: 'a.csv' } }, output: { file: 'a.csv' } },
  },
});
