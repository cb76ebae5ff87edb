import { suggest } from '@runnel/core';
import { type RawAxes, readAxes } from './axes.ts';
import { bareAxisName } from './entry-fields.ts';
import type { IssueList, Path } from './issue-list.ts';
import type { RawEntry } from './kinds/kind.ts';
import { describeProduct } from './parameters.ts';
import type { Parameters } from './rows.ts';
import {
  type Column,
  countProduct,
  fullTable,
  multiplyTable,
  projectTable,
  singleRow,
  type Table,
} from './table.ts';
import type { TemplateNames } from './template-names.ts';

interface Place {
  readonly path: Path;
  readonly issues: IssueList;
}

/** What to do about braces that were never meant for us, as in `docker ps --format`. */
export const bracesHint = `if the braces are the task's own, write "templated: false"`;

/** Finds the combinations of each entry: of the run's parameters those that it uses, and its own. */
export class EntryTables {
  readonly #parameters: Parameters;
  readonly #maxProduct: number;
  /** Entries that use the same columns share a table. */
  readonly #projected = new Map<string, Table>();

  constructor(parameters: Parameters, maxProduct: number) {
    this.#parameters = parameters;
    this.#maxProduct = maxProduct;
  }

  /** The single row where something is wrong, which is noted. */
  tableOf(entry: RawEntry, names: TemplateNames | null, place: Place): Table {
    const own = this.#ownColumns(entry, place);
    const used = new Set(own.map((column) => column.name));
    for (const name of this.#namedColumns(entry, place)) used.add(name);
    if (names !== null) this.#addTemplateNames(names, used, place);
    if (used.size === 0) return singleRow;
    return this.#build(used, own, place);
  }

  #ownColumns(entry: RawEntry, place: Place): Column[] {
    if (entry.parameters === undefined || isNameList(entry.parameters)) return [];
    return readAxes(entry.parameters, {
      path: [...place.path, 'parameters'],
      issues: place.issues,
      maxValues: this.#maxProduct,
    });
  }

  #namedColumns(entry: RawEntry, place: Place): string[] {
    if (entry.parameters === undefined || !isNameList(entry.parameters)) return [];
    return entry.parameters.map(bareAxisName).filter((name, index) => {
      if (this.#has(name)) return true;
      place.issues.add([...place.path, 'parameters', index], () => this.#describeUnknown(name, []));
      return false;
    });
  }

  #addTemplateNames(names: TemplateNames, used: Set<string>, place: Place): void {
    const known = [...used];
    for (const name of names.axes) {
      if (used.has(name)) continue;
      if (this.#has(name)) {
        used.add(name);
        continue;
      }
      const leaf = names.places.get(name) ?? [];
      place.issues.add(
        [...place.path, 'details', ...leaf],
        () => `{{${name}}}: ${this.#describeUnknown(name, known)}; ${bracesHint}`,
      );
    }
  }

  #has(name: string): boolean {
    return this.#parameters.columns.some((column) => column.name === name);
  }

  #describeUnknown(name: string, own: readonly string[]): string {
    const known = [...this.#parameters.columns.map((column) => column.name), ...own];
    return `no parameter is named ${JSON.stringify(name)}${suggest(name, known)}`;
  }

  #build(used: ReadonlySet<string>, own: readonly Column[], place: Place): Table {
    const ownNames = new Set(own.map((column) => column.name));
    const shared = new Set([...used].filter((name) => !ownNames.has(name)));
    const { columns } = this.#parameters;
    const sharedColumns = columns.filter((column) => shared.has(column.name));
    const rows = this.#parameters.table === null ? countProduct(sharedColumns) : null;
    if (rows !== null && this.#refuse(rows * countProduct(own), place)) return singleRow;
    const base = this.#project(shared);
    if (own.length === 0) return base;
    if (this.#refuse(BigInt(base.count) * countProduct(own), place)) return singleRow;
    const order = [...columns.map((column) => column.name), ...ownNames];
    return multiplyTable(base, own, [...new Set(order)]);
  }

  #refuse(product: bigint, place: Place): boolean {
    if (product <= BigInt(this.#maxProduct)) return false;
    place.issues.add(place.path, describeProduct(product, this.#maxProduct));
    return true;
  }

  #project(names: ReadonlySet<string>): Table {
    const { columns, table } = this.#parameters;
    const kept = columns.filter((column) => names.has(column.name));
    const key = kept.map((column) => column.name).join();
    const known = this.#projected.get(key);
    if (known !== undefined) return known;
    const projected = table === null ? fullTable(kept) : projectTable(table, names);
    this.#projected.set(key, projected);
    return projected;
  }
}

function isNameList(parameters: readonly string[] | RawAxes): parameters is readonly string[] {
  return Array.isArray(parameters);
}
