import type { NativeEntry } from './native-entry.ts';

/** How a native task says that what it prints are more tasks, in DaggyR's dialect. */
export const generatorField: Pick<NativeEntry, 'generator'> = { generator: 'daggyr' };
