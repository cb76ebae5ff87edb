import type { Steps } from '@runnel/core';
import type { IssueList } from './issue-list.ts';
import {
  isClassLink,
  noLink,
  onOfLink,
  pathOfLink,
  type SingleLinks,
  targetOf,
} from './packed-links.ts';
import { describeConflict } from './simplify-links.ts';
import { tasksPerStep } from './single-links.ts';
import type { SingleTasks } from './single-tasks.ts';

/** So many links are compared one with another; more of them take a map. */
const maxCompared = 8;

/**
 * Edges are a set: what is named twice becomes one link, and a link to a class covers links to its
 * tasks. Two that give the same edge a different `on` are noted. Works in place.
 */
export function* simplifySingles(
  tasks: SingleTasks,
  all: SingleLinks,
  issues: IssueList,
): Steps<SingleLinks> {
  const { starts, links, origins } = all;
  let length = 0;
  let start = 0;
  for (let node = 0; node < tasks.count; node++) {
    const end = starts[node + 1] ?? 0;
    if (areFewSingleTasks(links, start, end)) {
      for (let at = start; at < end; at++) links[length++] = links[at] ?? 0;
    } else {
      const addConflict = conflictNoter({ tasks, origins, node, start, issues });
      for (const link of simplify(tasks, links.subarray(start, end), addConflict)) {
        links[length++] = link;
      }
    }
    starts[node + 1] = length;
    start = end;
    if (node % tasksPerStep === 0) yield;
  }
  return { starts, links: links.subarray(0, length), origins: null };
}

/** The common case, told without building anything. */
function areFewSingleTasks(links: Uint32Array, start: number, end: number): boolean {
  if (end - start > maxCompared) return false;
  for (let at = start; at < end; at++) {
    const link = links[at] ?? noLink;
    if (link === noLink || (isClassLink(link) && end - start > 1)) return false;
    for (let before = start; before < at; before++) {
      if (targetOf(links[before] ?? 0) === targetOf(link)) return false;
    }
  }
  return true;
}

/** Takes the offset of a link, the link, and the one that it contradicts. */
type AddConflict = (offset: number, link: number, other: number) => void;

function simplify(tasks: SingleTasks, links: Uint32Array, addConflict: AddConflict): number[] {
  /** By target, and whether it is a class: the offset of the first. */
  const first = new Map<number, number>();
  const compare = (offset: number, before: number): void => {
    const [link, other] = [links[offset] ?? 0, links[before] ?? 0];
    if (onOfLink(other) !== onOfLink(link)) addConflict(offset, link, other);
  };
  for (const [offset, link] of links.entries()) {
    if (link === noLink) continue;
    const known = first.get(keyOf(link));
    if (known === undefined) first.set(keyOf(link), offset);
    else compare(offset, known);
  }
  const kept: number[] = [];
  for (const offset of first.values()) {
    const link = links[offset] ?? 0;
    const cover = isClassLink(link) ? undefined : first.get(keyOfClass(tasks, link));
    if (cover === undefined) kept.push(link);
    else compare(offset, cover);
  }
  return kept;
}

function keyOf(link: number): number {
  return link & (2 ** 30 - 1);
}

function keyOfClass(tasks: SingleTasks, link: number): number {
  return tasks.shapeOf(targetOf(link)).class.number | (2 ** 29);
}

function conflictNoter(place: {
  readonly tasks: SingleTasks;
  readonly origins: SingleLinks['origins'];
  readonly node: number;
  readonly start: number;
  readonly issues: IssueList;
}): AddConflict {
  const { tasks, origins, node, start, issues } = place;
  return (offset, link, other) => {
    const path = pathOfLink(tasks, origins, { node, start, at: start + offset });
    const parent = isClassLink(link)
      ? (tasks.classes[targetOf(link)]?.name ?? '')
      : tasks.idOf(targetOf(link));
    issues.add(path, describeConflict(parent, onOfLink(link), onOfLink(other)));
  };
}
