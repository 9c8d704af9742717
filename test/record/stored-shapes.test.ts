import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { checkRow } from '../../src/baseline/validate-rows.ts';
import { writeJson } from '../../src/json/canonical-json.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import { baselineHeaderSchema } from '../../src/model/comparison/baseline.ts';
import { isCellRow, isDecidingLine, isEndRow, isResumeRow, parseRunHeader } from '../../src/record/row-guards.ts';
import { openBaselineProject } from '../cli/baseline/baseline-project.ts';

interface WrittenLines {
  readonly record: readonly unknown[];
  readonly baseline: readonly unknown[];
}

let written: Promise<WrittenLines> | undefined;

/** The lines of a record and of a baseline that a run with fresh trials writes. Made once, within the first test. */
function linesWritten(): Promise<WrittenLines> {
  written ??= (async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w05', 'sorry');
    await project.run(['run', '--cache', 'refresh']);
    const linesOf = (path: string) => project.read(path).trimEnd().split('\n').map(parseExactJson);
    return {
      record: linesOf(project.files('.llmcheck/runs').at(-1) ?? ''),
      baseline: linesOf(project.files('evals').find((path) => path.endsWith('.baseline.jsonl')) ?? ''),
    };
  })();
  return written;
}

const isOfRecord = (line: unknown): boolean =>
  parseRunHeader(line) !== undefined || [isCellRow, isDecidingLine, isResumeRow, isEndRow].some((is) => is(line));
const isOfBaseline = (line: unknown): boolean =>
  baselineHeaderSchema.safeParse(line).success || typeof checkRow(line) !== 'string';

test('every line that is written is read, and written again the same', async () => {
  const { record, baseline } = await linesWritten();
  expect(record.length).toBeGreaterThan(40);
  expect(baseline.length).toBeGreaterThan(20);
  expect(record.filter((line) => !isOfRecord(line))).toEqual([]);
  expect(baseline.filter((line) => !isOfBaseline(line))).toEqual([]);
  for (const line of [...record, ...baseline]) expect(parseExactJson(writeJson(line) ?? '')).toEqual(line);
});

/** The value with each of its members in turn removed, or replaced by values of other types. */
function* mutate(value: unknown): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const member: unknown = Reflect.get(value, key);
    const withMember = (changed: unknown) => {
      const copy: object = Array.isArray(value) ? [...value] : { ...value };
      if (changed === undefined) Reflect.deleteProperty(copy, key);
      else Reflect.set(copy, key, changed);
      return copy;
    };
    if (!Array.isArray(value)) yield withMember(undefined);
    for (const other of [null, -1, 'other', [], [7], { a: 1 }, true]) yield withMember(other);
    for (const inner of mutate(member)) yield withMember(inner);
  }
}

describe('the published schema of a baseline', () => {
  const schema: object = JSON.parse(
    readFileSync(new URL('../../schema/baseline.schema.json', import.meta.url), 'utf8'),
  );
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

  test('accepts every line that is written', async () => {
    const { baseline } = await linesWritten();
    expect(baseline.filter((line) => !validate(line))).toEqual([]);
  });

  test('refuses mutated lines that the reader refuses', async () => {
    const { baseline } = await linesWritten();
    const examples = ['baseline', 'variant', 'case', 'checks'].map((type) =>
      baseline.find((line) => Reflect.get(Object(line), 'type') === type),
    );
    const refused = examples.flatMap((line) => [...mutate(line)].filter((mutant) => !isOfBaseline(mutant)));
    expect(refused.length).toBeGreaterThan(200);
    expect(refused.filter((mutant) => validate(mutant))).toEqual([]);
  });
});

test('mutated lines of a record are refused, or lack nothing that is required', async () => {
  const { record } = await linesWritten();
  const types = ['run', 'cell', 'compared', 'end'];
  const examples = types.map((type) => record.find((line) => Reflect.get(Object(line), 'type') === type));
  const mutants = examples.flatMap((line) => [...mutate(line)]);
  expect(mutants.filter((mutant) => !isOfRecord(mutant)).length).toBeGreaterThan(500);
  const [, cell] = examples;
  const wrong: readonly object[] = [
    { status: 'running' },
    { side: 'refused' },
    { caseHash: '' },
    { trial: 0x1_0000_0000 },
    { score: 1.1 },
    { latencyMs: -1 },
    { classified: { truth: 't', by: 1 } },
    { checks: [{ assertion: 'a', pass: 'yes', score: 1, reason: 'r' }] },
  ];
  expect(wrong.filter((change) => isCellRow({ ...Object(cell), ...change }))).toEqual([]);
});
