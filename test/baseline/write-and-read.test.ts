import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { readBaseline } from '../../src/baseline/read-baseline.ts';
import { renderBaseline, writeBaseline } from '../../src/baseline/write-baseline.ts';
import { StorageError } from '../../src/files/write-files.ts';
import type { BaselineCase, BaselineTrial, BaselineVariant } from '../../src/model/comparison/baseline.ts';
import type { StoredChecks } from '../../src/model/run/deciding-lines.ts';
import { catchUserError, makeFolder } from '../record/build-rows.ts';
import { type BaselineRows, contentOf, parseRows, readRows } from '../support/baseline-rows.ts';
import fc, { codePoint } from '../support/property.ts';

const file = 'evals/triage.baseline.jsonl';

describe('a rendered baseline', () => {
  test('reads as header, variants and cases, in one order of lines and keys, with params as they are sent', () => {
    const baseline = {
      suite: 'triage',
      variants: [buildVariant('v2'), { ...buildVariant('v1'), models: ['small-2', 'small-1'], params: { b: 1, a: 2 } }],
      cases: [buildCase('refund', { prompt: 'v2' }), buildCase('refund', { mustPass: true }), buildCase('parcel')],
    };
    expect(render(baseline)).toMatchInlineSnapshot(`
      "{"type":"baseline","format":2,"suite":"triage"}
      {"type":"variant","prompt":"v1","provider":"openai:small","adapter":"openai","model":"small","params":{"b":1,"a":2},"messages":[{"content":"Sort {{ email }}","role":"user"}],"contract":{},"models":["small-1","small-2"]}
      {"type":"variant","prompt":"v2","provider":"openai:small","adapter":"openai","model":"small","params":{},"messages":[{"content":"Sort {{ email }}","role":"user"}],"contract":{},"models":["small-1"]}
      {"type":"case","caseId":"parcel","prompt":"v1","provider":"openai:small","caseHash":"s","trials":[{"checks":[{"assertion":"equals","pass":true,"reason":"equal","score":1}],"output":"billing","score":1,"status":"passed","trial":0}]}
      {"type":"case","caseId":"refund","prompt":"v1","provider":"openai:small","caseHash":"s","mustPass":true,"trials":[{"checks":[{"assertion":"equals","pass":true,"reason":"equal","score":1}],"output":"billing","score":1,"status":"passed","trial":0}]}
      {"type":"case","caseId":"refund","prompt":"v2","provider":"openai:small","caseHash":"s","trials":[{"checks":[{"assertion":"equals","pass":true,"reason":"equal","score":1}],"output":"billing","score":1,"status":"passed","trial":0}]}
      "
    `);
  });

  test('gives the same baseline back, whatever is in it', { tags: 'slow' }, () => {
    fc.assert(
      fc.property(baselines, (baseline) => {
        expect(parseRows(render(baseline), file)).toEqual(sorted(baseline));
      }),
    );
  });

  test('is the same text whatever order the rows came in', { tags: 'slow' }, () => {
    const shuffled = baselines.chain((baseline) =>
      fc.record({
        baseline: fc.constant(baseline),
        variants: shuffle(baseline.variants),
        cases: shuffle(baseline.cases.map((row) => ({ ...row, trials: row.trials.toReversed() }))),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ baseline, variants, cases }) => {
        expect(render({ suite: baseline.suite, variants, cases })).toBe(render(baseline));
      }),
    );
  });

  test('shows what an answer would do to a terminal as escapes, and gives it back whole', () => {
    const output = '\u001b[2J \u202e ##[error] \u009b';
    const baseline = { ...small, cases: [buildCase('refund', { trials: [buildTrial(0, { output })] })] };
    expect(['\u001b', '\u202e', '\u009b', '##['].filter((part) => render(baseline).includes(part))).toEqual([]);
    expect(parseRows(render(baseline), file).cases[0]?.trials[0]?.output).toBe(output);
  });
});

describe('parsing', () => {
  test('takes lines, carriage returns, a byte order mark and empty lines', () => {
    const text = render(small);
    expect(parseRows(text, file)).toEqual(small);
    expect(parseRows(`\uFEFF${text}`, file)).toEqual(small);
    expect(parseRows(`\uFEFF\n${text.replaceAll('\n', '\r\n')}\n \n`, file)).toEqual(small);
  });

  test.each([
    ['nothing', '', 1],
    ['a text of another kind', 'hello', 1],
    ['a run record', '{"type":"run","format":1}', 1],
    ['a header without a format', '{"type":"baseline","suite":"s"}', 1],
    ['a header without a suite', '\n{"type":"baseline","format":1}', 2],
    ['a list', '[]', 1],
  ])('%s is no baseline', (_, text, line) => {
    const { problems } = catchUserError(() => parseRows(text, file));
    expect(problems).toMatchObject([{ code: 'record', severity: 'error', at: { file, line, column: 1 } }]);
    expect(problems[0]?.message).toContain('is no baseline');
  });

  test('a format that it does not know is named beside those it reads', () => {
    const { problems } = catchUserError(() => parseRows('{"type":"baseline","format":3,"suite":"s"}', file));
    expect(problems).toMatchObject([{ code: 'record', at: { line: 1 } }]);
    expect(problems[0]?.message).toBe(`The baseline ${file} has format 3; this version reads format 1 and 2.`);
  });

  test('format 1, which keeps no checks, is read', () => {
    const text = render(small).replace('"format":2', '"format":1');
    expect(parseRows(text, file)).toEqual(parseRows(render(small), file));
    expect(openBaselineText(text, file).checksOf('s')).toBeUndefined();
  });

  test('format 2 keeps the checks of each case once, and gives them back', () => {
    const checks: StoredChecks[] = [
      { type: 'checks', hash: 'checks', checks: [{ contains: 'billing' }], threshold: 0.5 },
      { type: 'checks', hash: 'unused', checks: [{ contains: 'x' }] },
    ];
    const cases = ['a', 'b'].map((caseId) => buildCase(caseId, { caseHash: `${caseId}.checks` }));
    const text = [...renderBaseline(contentOf({ ...small, cases, checks }))].join('');
    expect(text.split('\n').filter((line) => line.includes('"type":"checks"'))).toHaveLength(1);
    const baseline = openBaselineText(text, file);
    expect([baseline.checksOf('checks'), baseline.checksOf('unused')]).toEqual([checks[0], undefined]);
    const again = [...renderBaseline({ ...baseline, suite: small.suite })].join('');
    expect(again).toBe(text);
  });

  test.each(['<<<<<<< HEAD', '=======', '>>>>>>> feature', '||||||| 1a2b3c'])(
    'the conflict marker %s is the one problem, and accepting again the way out',
    (marker) => {
      const text = render(small).replace('\n', `\nrubbish\n${marker}\n`);
      const { problems } = catchUserError(() => parseRows(text, file));
      expect(problems).toMatchObject([
        { code: 'record', at: { file, line: 3 }, hint: expect.stringContaining('accept again') },
      ]);
    },
  );

  test('a conflict in the very first line is one too', () => {
    const { message } = catchUserError(() => parseRows(`<<<<<<< HEAD\n${render(small)}`, file));
    expect(message).toContain('merge conflict');
  });

  test.each([
    ['is not JSON', '{"type":"case"', 'not JSON'],
    ['is nested too deeply', `{"type":"case","a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'nested deeper'],
    ['is a number', '7', 'not a JSON object'],
    ['is of another type', '{"type":"cell"}', '"type"'],
    ['is a second header', '{"type":"baseline","format":1,"suite":"s"}', '"type"'],
    ['lacks a field', caseLine({ caseHash: undefined }), 'no "caseHash"'],
    ['has a wrong field', caseLine({ mustPass: false }), '"mustPass"'],
    ['has trials that are none', caseLine({ trials: [{}] }), '"trials"'],
    ['has a trial of an unknown status', caseLine({ trials: [{ ...buildTrial(0), status: 'fine' }] }), '"trials"'],
    ['has a trial before the first', caseLine({ trials: [buildTrial(-1)] }), '"trials"'],
    ['has a trial twice', caseLine({ confirmations: [buildTrial(0)] }), 'a trial twice'],
    [
      'has a check without a reason',
      caseLine({ trials: [withChecks([{ assertion: 'json', pass: true }])] }),
      '"trials"',
    ],
    [
      'has usage that is not a number',
      caseLine({ trials: [{ ...buildTrial(0), usage: { inputTokens: '3' } }] }),
      '"trials"',
    ],
    ['has an infinite score', caseLine({}).replace('"score":1', '"score":1e999'), '"trials"'],
    ['has a score above one', caseLine({ trials: [buildTrial(0, { score: 7 })] }), '"trials"'],
    ['has a score below zero', caseLine({ trials: [buildTrial(0, { score: -1 })] }), '"trials"'],
    ['has a fresh trial with a score above one', caseLine({ confirmations: [buildTrial(1, { score: 1.5 })] }), '"conf'],
    ['has a check with a score above one', caseLine({ trials: [withChecks([buildCheck({ score: 9 })])] }), '"trials"'],
    ['has a check of negative weight', caseLine({ trials: [withChecks([buildCheck({ weight: -1 })])] }), '"trials"'],
    ['has a negative latency', caseLine({ trials: [buildTrial(0, { latencyMs: -5 })] }), '"trials"'],
    ['has a trial beyond 32 bits', caseLine({ trials: [buildTrial(2 ** 32)] }), '"trials"'],
    ['has a trial beyond what a number holds', caseLine({ trials: [buildTrial(2 ** 53 - 1)] }), '"trials"'],
    ['has no trial', caseLine({ trials: [] }), '"trials"'],
    ['has an empty caseHash', caseLine({ caseHash: '' }), '"caseHash"'],
    ['has tool calls without a name', caseLine({ trials: [{ ...buildTrial(0), toolCalls: [{}] }] }), '"trials"'],
    ['is a variant without messages', JSON.stringify({ ...buildVariant('v3'), messages: 'hi' }), '"messages"'],
    ['is a variant whose params are a list', JSON.stringify({ ...buildVariant('v3'), params: [] }), '"params"'],
  ])('a line that %s is damaged', (_, line, found) => {
    const { problems } = catchUserError(() => parseRows(`${render(small)}${line}\n`, file));
    expect(problems).toMatchObject([{ code: 'record', at: { file, line: 4, column: 1 } }]);
    expect(problems[0]?.message).toContain(found);
  });

  test('a case or variant that occurs twice is named with its first line', () => {
    const [, variant = '', row = ''] = render(small).split('\n');
    const { problems } = catchUserError(() => parseRows(`${render(small)}${row}\n${variant}\n`, file));
    expect(problems.map(({ at, message }) => [at?.line, message.split('damaged: ')[1]])).toEqual([
      [4, 'line 3 holds the case "refund" of "v1" on "openai:small" already.'],
      [5, 'line 2 holds "v1" on "openai:small" already.'],
    ]);
  });

  test('lines in another order are read, and one that occurs twice is found behind them', () => {
    const cases = ['c', 'a', 'b', 'd'].map((caseId) => buildCase(caseId));
    const lines = cases.map((row) => JSON.stringify(row));
    const [header, variant] = render(small).split('\n');
    const text = [header, variant, ...lines].join('\n');
    expect(parseRows(text, file).cases.map(({ caseId }) => caseId)).toEqual(['c', 'a', 'b', 'd']);
    const { problems } = catchUserError(() => parseRows(`${text}\n${lines[1]}\n${lines[0]}\n`, file));
    expect(problems.map(({ at, message }) => [at?.line, message.split('damaged: ')[1]])).toEqual([
      [7, 'line 4 holds the case "a" of "v1" on "openai:small" already.'],
      [8, 'line 3 holds the case "c" of "v1" on "openai:small" already.'],
    ]);
  });

  test('ids that could run into each other stay apart', () => {
    const variants = [buildVariant('a","b'), { ...buildVariant('a'), provider: 'b","openai:small' }];
    expect(parseRows(render({ suite: 's', variants, cases: [] }), file).variants).toHaveLength(2);
  });

  test('a case whose variant has no line is a problem, in any order of the variants', () => {
    const [header, variant, row] = render(small).split('\n');
    expect(parseRows([header, row, variant].join('\n'), file)).toEqual(small);
    const { problems } = catchUserError(() => parseRows([header, row].join('\n'), file));
    expect(problems).toMatchObject([{ code: 'record', at: { line: 2 } }]);
  });

  test('a file full of damage ends in a list that can be read', () => {
    const rubbish = catchUserError(() => parseRows(render(small) + 'rubbish\n'.repeat(500), file));
    const orphans = Array.from({ length: 500 }, (_, index) => buildCase(`c${index}`));
    const orphaned = catchUserError(() => parseRows(render({ suite: 's', variants: [], cases: orphans }), file));
    expect([rubbish.problems.length, orphaned.problems.length]).toEqual([20, 20]);
  });
});

test('the last trial that there is a number for is read', () => {
  const { cases } = parseRows(`${render(small)}${caseLine({ trials: [buildTrial(2 ** 32 - 1)] })}\n`, file);
  expect(cases.at(-1)?.trials[0]?.trial).toBe(2 ** 32 - 1);
});

describe('a baseline file', () => {
  test('is undefined where it does not exist', () => {
    expect(readRows(join(makeFolder(), 'none.jsonl'))).toBeUndefined();
  });

  test('comes back as it was written, with answers longer than the read buffer', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    const long = buildCase('long', { trials: [buildTrial(0, { output: 'ä\n'.repeat(500_000) })] });
    const baseline = { ...small, cases: [long, ...small.cases] };
    expect(writeBaseline(path, contentOf(baseline))).toBe(true);
    expect(readRows(path)).toEqual(baseline);
    expect(readFileSync(path, 'utf8')).toBe(render(baseline));
  });

  test('is left alone where nothing changed', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    writeBaseline(path, contentOf(small));
    const before = statSync(path, { bigint: true });
    expect(writeBaseline(path, contentOf(small))).toBe(false);
    expect(statSync(path, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs });
  });

  test.each([
    ['more', (text: string) => `${text}\n`],
    ['less', (text: string) => text.slice(0, -1)],
    ['nothing', () => ''],
    ['something else', (text: string) => text.replace('billing', 'shipping')],
  ])('is replaced if it holds %s, and nothing else is left in the folder', (_, change) => {
    const folder = makeFolder();
    const path = join(folder, 'triage.baseline.jsonl');
    writeFileSync(path, change(render(small)));
    expect(writeBaseline(path, contentOf(small))).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(render(small));
    expect(readdirSync(folder)).toEqual(['triage.baseline.jsonl']);
  });

  test('can be neither read nor written where a folder has its name', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    mkdirSync(path);
    expect(catchUserError(() => readRows(path, 'shown')).problems).toMatchObject([
      { code: 'record', message: "The baseline shown can't be read (EISDIR)." },
    ]);
    expect(() => writeBaseline(path, contentOf(small))).toThrow(StorageError);
  });

  test('in a folder that is not there is a StorageError', () => {
    const path = join(makeFolder(), 'none', 'triage.baseline.jsonl');
    expect(() => writeBaseline(path, contentOf(small))).toThrow(
      expect.objectContaining({ name: 'StorageError', code: 'ENOENT' }),
    );
  });

  test('can be read while it is rewritten', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    const big = buildCase('big', { trials: [buildTrial(0, { output: 'a'.repeat(400_000) })] });
    writeBaseline(path, contentOf({ ...small, cases: [big, buildCase('refund')] }));
    const cases: BaselineCase[] = [];
    const scanned = readBaseline(path, file, (row) => cases.push(row));
    const content = contentOf({ ...small, cases: [...cases, buildCase('shipping')] });
    const reading = content.cases.map((rows) => ({
      ...rows,
      read: (caseId: string) => {
        const index = cases.findIndex((row) => row.caseId === caseId);
        return index === -1 ? rows.read(caseId) : (scanned?.readCase(index, rows.read(caseId)) ?? rows.read(caseId));
      },
    }));
    expect(writeBaseline(path, { ...content, cases: reading })).toBe(true);
    expect(readRows(path)?.cases.map(({ caseId }) => caseId)).toEqual(['big', 'refund', 'shipping']);
    // What was opened before is still what it was.
    expect(scanned?.readCase(0, big)).toEqual(big);
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, 100)],
    ['made longer', (text: string) => `${text}{"type":"case"}\n`],
    ['written over', (text: string) => 'x'.repeat(text.length)],
  ])('reports the line that is missing when the file is %s after it was read', (_, change) => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    const big = buildCase('big', { trials: [buildTrial(0, { output: 'a'.repeat(400_000) })] });
    writeBaseline(path, contentOf({ ...small, cases: [big] }));
    const scanned = readBaseline(path, file, () => {});
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    utimesSync(path, 1, 1);
    expect(catchUserError(() => scanned?.readCase(0, big)).problems).toMatchObject([
      {
        code: 'record',
        at: { file, line: 3, column: 1 },
        message: `The baseline ${file} was changed while it was being read: line 3 is not what it was.`,
        hint: 'run the command again',
      },
    ]);
  });

  test('is damaged where its last half line is lost', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    writeFileSync(path, render(small).slice(0, -20));
    expect(catchUserError(() => readRows(path, file)).problems).toMatchObject([{ at: { file, line: 3 } }]);
  });

  test('names its damage by the name that it is shown under', () => {
    const path = join(makeFolder(), 'triage.baseline.jsonl');
    writeFileSync(path, `${render(small)}rubbish\n`);
    expect(catchUserError(() => readRows(path, file)).problems).toMatchObject([{ at: { file, line: 4 } }]);
    expect(catchUserError(() => readRows(path)).problems).toMatchObject([{ at: { file: path, line: 4 } }]);
  });
});

const small: BaselineRows = { suite: 'triage', variants: [buildVariant('v1')], cases: [buildCase('refund')] };

function buildVariant(prompt: string): BaselineVariant {
  return {
    type: 'variant',
    prompt,
    provider: 'openai:small',
    adapter: 'openai',
    model: 'small',
    params: {},
    messages: [{ role: 'user', content: 'Sort {{ email }}' }],
    contract: {},
    models: ['small-1'],
  };
}

function buildTrial(trial: number, changes: Partial<BaselineTrial> = {}): BaselineTrial {
  const checks = [{ assertion: 'equals', pass: true, score: 1, reason: 'equal' }];
  return { trial, status: 'passed', score: 1, checks, output: 'billing', ...changes };
}

function buildCase(caseId: string, changes: Partial<BaselineCase> = {}): BaselineCase {
  const trials = [buildTrial(0)];
  return { type: 'case', prompt: 'v1', provider: 'openai:small', caseId, caseHash: 's', trials, ...changes };
}

function buildCheck(changes: Record<string, unknown>): Record<string, unknown> {
  return { assertion: 'equals', pass: true, score: 1, reason: 'equal', ...changes };
}

/** A line of a case that is new in `small`, with changes that need not be allowed. */
function caseLine(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...buildCase('new'), ...changes });
}

function withChecks(checks: readonly unknown[]): Record<string, unknown> {
  return { ...buildTrial(0), checks };
}

function render(baseline: BaselineRows): string {
  return [...renderBaseline(contentOf(baseline))].join('');
}

function sorted({ suite, variants, cases }: BaselineRows): BaselineRows {
  const order = (a: string[], b: string[]) => {
    const at = a.findIndex((part, index) => part !== b[index]);
    return at === -1 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
  };
  return {
    suite,
    variants: variants.toSorted((a, b) => order([a.prompt, a.provider], [b.prompt, b.provider])),
    cases: cases.toSorted((a, b) => order([a.caseId, a.prompt, a.provider], [b.caseId, b.prompt, b.provider])),
  };
}

const text = fc.string({ unit: codePoint, maxLength: 12 });
const filled = fc.string({ unit: codePoint, minLength: 1, maxLength: 12 });
// Minus zero has no JSON form of its own.
const json = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const object = fc.dictionary(text, json, { maxKeys: 3 });
const fraction = fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs);
const usage = fc.record(
  { inputTokens: fc.nat(), outputTokens: fc.nat(), cachedInputTokens: fc.nat() },
  { requiredKeys: ['inputTokens', 'outputTokens'] },
);
const check = fc.record(
  {
    assertion: text,
    name: text,
    pass: fc.boolean(),
    score: fraction,
    reason: text,
    weight: fraction,
    required: fc.boolean(),
    diff: fc.record({ expected: text, found: text }),
    turn: fc.nat(),
    error: text,
  },
  { requiredKeys: ['assertion', 'pass', 'score', 'reason'] },
);
const toolCall = fc.record({ name: text, arguments: json, rawArguments: text });
const trialBody = fc.record(
  {
    status: fc.constantFrom('passed', 'failed', 'errored', 'skipped'),
    score: fraction,
    checks: fc.array(check, { maxLength: 2 }),
    usage,
    latencyMs: fraction,
    finishReason: fc.constantFrom('stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'other'),
    output: text,
    toolCalls: fc.array(toolCall, { maxLength: 2 }),
    reasoning: text,
    refusal: text,
    answerHash: text,
  },
  { requiredKeys: ['status', 'checks'] },
);
const variantRow = fc.record(
  {
    type: fc.constant('variant'),
    prompt: filled,
    provider: filled,
    adapter: text,
    model: text,
    baseUrl: text,
    params: object,
    messages: fc.array(fc.record({ role: text, content: text }), { maxLength: 2 }),
    replaces: text,
    contract: fc.record({ input: json, output: json }, { requiredKeys: [] }),
    models: fc.uniqueArray(text, { maxLength: 3 }).map((models) => models.toSorted()),
  },
  { requiredKeys: ['type', 'prompt', 'provider', 'adapter', 'model', 'params', 'messages', 'contract', 'models'] },
);
const caseRow = fc.record(
  {
    caseId: filled,
    variant: fc.nat(),
    caseHash: filled,
    mustPass: fc.constant(true),
    trials: fc.array(trialBody, { minLength: 1, maxLength: 3 }),
    confirmations: fc.array(trialBody, { maxLength: 2 }),
  },
  { requiredKeys: ['caseId', 'variant', 'caseHash', 'trials'] },
);

/** Valid as the model has it: distinct variants, distinct cases of them, distinct trials. */
const baselines: fc.Arbitrary<BaselineRows> = fc
  .record({
    suite: filled,
    variants: fc.uniqueArray(variantRow, {
      minLength: 1,
      maxLength: 4,
      selector: ({ prompt, provider }) => JSON.stringify([prompt, provider]),
    }),
    cases: fc.uniqueArray(caseRow, { maxLength: 6, selector: ({ caseId }) => caseId }),
  })
  .map(({ suite, variants, cases }) => ({
    suite,
    variants: variants as unknown as BaselineVariant[],
    cases: cases.map(({ variant, trials, confirmations, ...row }) => {
      const { prompt = '', provider = '' } = variants[variant % variants.length] ?? {};
      const number = <T>(bodies: readonly T[], from: number) =>
        bodies.map((body, index) => ({ ...body, trial: from + index }));
      return {
        ...row,
        type: 'case' as const,
        prompt,
        provider,
        trials: number(trials, 0),
        ...(confirmations === undefined ? {} : { confirmations: number(confirmations, trials.length) }),
      } as unknown as BaselineCase;
    }),
  }));

function shuffle<T>(rows: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...rows], { minLength: rows.length, maxLength: rows.length });
}
