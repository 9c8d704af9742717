import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { type Problem, UserError } from '../../model/problem.ts';
import type { CellKey } from '../../model/run/cell.ts';
import type { ComparedLine, DecidingLine } from '../../model/run/deciding-lines.ts';
import type { EndRow, RecordedShard, RecordedSuite, RecordedVariant, RunHeader } from '../../model/run/record.ts';
import { findStoredRun, runsFolder } from '../../project/stored-runs.ts';
import { type RowPlace, readRowsAt, readValuesAt } from '../../record/read-rows.ts';
import { cellKeyText, type DecidingLines, visitRowHeads } from '../../record/read-run-record.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { createUnderFreeId, refuseStorageErrors } from './open-record.ts';

export interface MergeOptions {
  /** Record files or run ids. */
  readonly shards: readonly string[];
  readonly root: string;
  readonly cwd: string;
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Merges the records of all shards of a run into one record and returns its path. Throws a `UserError` for shards that
 * are missing, duplicate or from another run, and a `StorageError`.
 */
export function mergeRecords({ shards, root, cwd, now, random }: MergeOptions): string {
  const records = shards.map((name) => {
    const { path } = findStoredRun({ root }, name, cwd);
    // If a cell ran again, its last row counts.
    const cells = new Map<string, RecordedCell>();
    const record = visitRowHeads(path, (row, index) => cells.set(cellKeyText(row), { label: labelOf(row), index }));
    return { ...record, name, cells };
  });
  const faults = [...findMergeFaults(records), ...findDoubles(records), ...findOtherSides(records)];
  if (faults.length > 0) throw new UserError(faults.map(toProblem));
  const { writer } = refuseStorageErrors(() =>
    createUnderFreeId(runsFolder({ root }), mergeHeaders(records), { now, random }),
  );
  try {
    writeRows();
  } catch (error) {
    // A half-written record would look like an interrupted run.
    writer.discard();
    throw error;
  }
  writer.close();
  return writer.path;

  function writeRows(): void {
    for (const line of mergeCompared(records)) writer.append(line);
    for (const { path, places, cells, header } of records) {
      const shard = header.settings.shard?.index;
      const kept = [...cells.values()].flatMap(({ index }): RowPlace | [] => places.at(index) ?? []);
      for (const row of readRowsAt(path, kept)) writer.append({ ...row, ...defined({ shard }) });
    }
    for (const line of mergeVerdicts(records)) writer.append(line);
    writer.append(mergeEnds(records));
  }
}

/** What the shards were compared with, which is the same for all. A suite without cases in a shard is missing there. */
function* mergeCompared(records: readonly OpenShard[]): Iterable<ComparedLine> {
  const known = new Set<string>();
  for (const { path, deciding } of records) {
    for (const side of deciding.sides) {
      const key = JSON.stringify([side.role, side.suite]);
      if (known.has(key)) continue;
      known.add(key);
      for (const line of readValuesAt(path, side.places)) yield line as ComparedLine;
    }
  }
}

/** The checks and the verdicts by other checks. Contracts are compared again, over the answers of all shards. */
function* mergeVerdicts(records: readonly OpenShard[]): Iterable<DecidingLine> {
  const known = new Set<string>();
  for (const { deciding } of records) {
    for (const checks of deciding.checks.values()) {
      if (known.has(checks.hash)) continue;
      known.add(checks.hash);
      yield checks;
    }
  }
  for (const { deciding } of records) yield* deciding.judged;
}

/** Shards that were compared with other baselines than the first one with the same suite. */
function findOtherSides(records: readonly OpenShard[]): readonly string[] {
  const known = new Map<string, { readonly name: string; readonly hash: string }>();
  return records.flatMap(({ path, name, deciding }) =>
    deciding.sides.flatMap((side) => {
      const hash = sha256Hex(
        [...readValuesAt(path, side.places)].map((line) => canonicalJson(line as JsonValue)).join('\n'),
      );
      const key = JSON.stringify([side.role, side.suite]);
      const first = known.get(key) ?? { name, hash };
      known.set(key, first);
      return first.hash === hash
        ? []
        : [`${name} was compared with another baseline of suite ${side.suite} than ${first.name}`];
    }),
  );
}

interface RecordedCell {
  readonly label: string;
  /** The index of its last row. */
  readonly index: number;
}

function findDoubles(
  records: readonly { readonly name: string; readonly cells: ReadonlyMap<string, RecordedCell> }[],
): readonly string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { name, cells } of records) {
    for (const [key, { label }] of cells) {
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, name);
      else if (faults.length < maxDoubles) faults.push(`${owner} and ${name} both hold ${label}`);
    }
  }
  return faults;
}

const maxDoubles = 3;

function labelOf({ suite, caseId, prompt, provider, trial }: CellKey): string {
  return `trial ${trial + 1} of ${suite}/${caseId} (${prompt} × ${provider})`;
}

function toProblem(message: string): Problem {
  return { code: 'record', severity: 'error', message, hint: 'name the record of each shard of one run once' };
}

interface OpenShard {
  readonly name: string;
  readonly path: string;
  readonly deciding: DecidingLines;
}

/** The data of a shard's record for merging. */
interface ShardRecord {
  /** Shown in messages. */
  readonly name: string;
  readonly header: RunHeader;
  /** Undefined if the run did not end. */
  readonly end: EndRow | undefined;
}

/** The reasons why the records are not the shards of one run; empty if they are. */
function findMergeFaults(records: readonly ShardRecord[]): readonly string[] {
  const faults: string[] = [];
  const shards: { readonly record: ShardRecord; readonly shard: RecordedShard }[] = [];
  for (const record of records) {
    const { shard } = record.header.settings;
    if (shard === undefined) faults.push(`${record.name} is not a shard: it was not run with --shard`);
    else shards.push({ record, shard });
    if (record.end === undefined)
      faults.push(`${record.name} did not end: finish it with \`llmcheck run --resume ${record.header.id}\``);
  }
  const [first, ...others] = shards;
  if (first === undefined) return faults;
  const { count } = first.shard;
  for (const { record, shard } of others) {
    const difference = shard.count === count ? findDifference(first.record.header, record.header) : 'number of shards';
    if (difference !== undefined)
      faults.push(`${record.name} is not a shard of the run of ${first.record.name}: another ${difference}`);
  }
  for (let index = 1; index <= count; index += 1) {
    const found = shards.filter(({ shard }) => shard.index === index).map(({ record }) => record.name);
    if (found.length === 0) faults.push(`shard ${index}/${count} is missing`);
    if (found.length > 1) faults.push(`shard ${index}/${count} is there ${found.length} times: ${found.join(', ')}`);
  }
  return faults;
}

/** The header of the merged run. */
function mergeHeaders(records: readonly ShardRecord[]): Omit<RunHeader, 'id'> {
  const headers = records.map(({ header }) => header);
  const [first] = headers;
  if (first === undefined) throw new Error('there is nothing to merge');
  const { id: _id, ...rest } = first;
  const { shard, ...settings } = first.settings;
  const invocation = withoutShardFlag(first.invocation);
  return {
    ...rest,
    startedAt: headers.map(({ startedAt }) => startedAt).sort()[0] ?? first.startedAt,
    settings: { ...settings, ...defined({ mergedShards: shard?.count }) },
    ...defined({ invocation }),
    suites: mergeSuites(
      headers.flatMap(({ suites }) => suites),
      shard?.filtered === true,
    ),
  };
}

/** The end of the merged run: the longest duration of the shards, and the stop reason of a stopped one. */
function mergeEnds(records: readonly ShardRecord[]): EndRow {
  const ends = records.flatMap(({ end }) => end ?? []);
  const stopReason = ends.find((end) => end.stopReason !== undefined)?.stopReason;
  return {
    type: 'end',
    durationMs: Math.max(0, ...ends.map(({ durationMs }) => durationMs)),
    ...defined({ stopReason }),
    notes: [...new Set(ends.flatMap(({ notes }) => notes))],
  };
}

/** Names the first difference between two headers that shards of one run must share; undefined if there is none. */
function findDifference(a: RunHeader, b: RunHeader): string | undefined {
  if (a.tool.version !== b.tool.version) return 'version of llmcheck';
  if (a.settings.shard?.selection !== b.settings.shard?.selection) return 'selection, or another state, of the cases';
  const settingsOf = ({ settings: { shard: _shard, maxCostUsd: _cap, ...rest } }: RunHeader) => canonicalJson(rest);
  if (settingsOf(a) !== settingsOf(b)) return 'set of settings';
  const flag = findOtherFlag(a, b);
  if (flag !== undefined) return flag;
  const variantsOf = ({ suites }: RunHeader) =>
    new Map(
      suites.flatMap(({ suite, gate, variants }) => variants.map((variant) => describeVariant(suite, gate, variant))),
    );
  const [own, other] = [variantsOf(a), variantsOf(b)];
  for (const [key, described] of own) {
    const found = other.get(key);
    if (found !== undefined && found !== described) return `state of ${key}`;
  }
  return a.settings.shard?.plan === b.settings.shard?.plan ? undefined : 'plan: its trials or variants differ';
}

/** A flag that selects cells and differs between two shards. */
function findOtherFlag(a: RunHeader, b: RunHeader): string | undefined {
  const [own, other] = [flagsOf(a.invocation), flagsOf(b.invocation)];
  const keys = [...new Set([...Object.keys(own), ...Object.keys(other)])].filter((key) => key !== 'shard');
  const textOf = (value: JsonValue | undefined) => (value === undefined ? 'none' : canonicalJson(value));
  const key = keys.find((name) => textOf(own[name]) !== textOf(other[name]));
  if (key === undefined) return undefined;
  const flag = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `value of --${flag}, ${textOf(other[key])} instead of ${textOf(own[key])}`;
}

function flagsOf(invocation: RunHeader['invocation']): JsonObject {
  const flags = invocation?.['flags'];
  return isJsonObject(flags) ? flags : {};
}

function describeVariant(suite: string, gate: RecordedSuite['gate'], variant: RecordedVariant): [string, string] {
  // Another shard may have accepted its part of the cases meanwhile.
  const { planned: _planned, observed: _observed, acceptedPrompt: _acceptedPrompt, ...rest } = variant;
  return [`${suite} · ${variant.prompt} × ${variant.provider}`, canonicalJson({ gate, ...rest })];
}

/** Merges the suites of all shards. A suite without cases in a shard is missing there. */
function mergeSuites(all: readonly RecordedSuite[], filtered: boolean): readonly RecordedSuite[] {
  const merged = new Map<string, RecordedSuite>();
  for (const suite of all) {
    const known = merged.get(suite.suite);
    merged.set(suite.suite, {
      ...suite,
      filtered,
      variants: known === undefined ? suite.variants : mergeVariants(known.variants, suite.variants),
    });
  }
  const suites = [...merged.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  // A whole run leaves a suite without a case out too, unless no suite has one.
  const used = suites.filter(({ variants }) => variants.some(({ planned, observed }) => planned + observed > 0));
  return used.length === 0 ? suites : used;
}

function mergeVariants(a: readonly RecordedVariant[], b: readonly RecordedVariant[]): readonly RecordedVariant[] {
  const same = (x: RecordedVariant, y: RecordedVariant) => x.prompt === y.prompt && x.provider === y.provider;
  const sums = a.map((variant) => {
    const other = b.find((found) => same(found, variant));
    if (other === undefined) return variant;
    return {
      ...variant,
      ...defined({ acceptedPrompt: mergeAccepted(variant.acceptedPrompt, other.acceptedPrompt) }),
      planned: variant.planned + other.planned,
      observed: variant.observed + other.observed,
    };
  });
  return [...sums, ...b.filter((variant) => !a.some((known) => same(known, variant)))];
}

/** Merges the states of the accepted prompt. The result holds for the cases of all shards. */
function mergeAccepted(
  a: RecordedVariant['acceptedPrompt'],
  b: RecordedVariant['acceptedPrompt'],
): RecordedVariant['acceptedPrompt'] {
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined || b === undefined || a.of !== b.of) {
    const why = 'parts of the run were compared with other baselines';
    return { is: 'unavailable', why, ...defined({ of: a?.of ?? b?.of }) };
  }
  return [a, b].find(({ is }) => is === 'unavailable') ?? [a, b].find(({ is }) => is === 'askable') ?? a;
}

function withoutShardFlag(invocation: RunHeader['invocation']): RunHeader['invocation'] {
  if (invocation === undefined) return undefined;
  const { shard: _shard, ...flags } = flagsOf(invocation);
  return { ...invocation, flags };
}
