import { expect, test } from 'vitest';
import { type JudgeContractsOptions, judgeContracts } from '../../src/assessing/judge-contracts.ts';
import type { SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';
import { assess } from '../../src/verdict/decide-record.ts';
import { fileOf, type Ran, recordBaseline, recordOf } from './compared-run.ts';

async function judge(ran: Ran, found?: SuiteBaseline, locate?: JudgeContractsOptions['locate']) {
  await loadTemplateEngine();
  const record = recordOf(ran);
  const assessment = assess({ record, findBaseline: () => found, judged: [], costOf: () => undefined });
  return judgeContracts(assessment, locate === undefined ? {} : { locate });
}

async function show(ran: Ran, found?: SuiteBaseline) {
  const { contracts, failures, warnings } = await judge(ran, found);
  return [
    ...contracts.map(
      ({ suite, prompt, findings }) => `${suite} ${prompt}: ${findings.map(({ path }) => path).join(' ')}`,
    ),
    ...failures.map(({ prompt, message }) => `${prompt} fails: ${message.replace(/ Approve.*/, '')}`),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
}

const messagesOf = (content: string) => [{ role: 'user', content }];
const needing = (count: number) =>
  messagesOf(`Route: {{ email }} ${Array.from({ length: count }, (_, index) => `{{ v${index} }}`).join(' ')}`);
const output = (schema: object) => ({ contract: { output: schema as never } });

test('contracts that do not differ are listed without a finding, and without a baseline none is', async () => {
  expect(await show({}, fileOf())).toMatchInlineSnapshot(`
    [
      "triage v1: ",
    ]
  `);
  expect(await show({})).toEqual([]);
});

test('a prompt that needs a further variable breaks the contract of its baseline', async () => {
  const ran = { variants: [{ messages: needing(1) }] };
  expect(await show(ran, fileOf())).toMatchInlineSnapshot(`
    [
      "triage v1: /variables/v0",
      "v1 fails: input contract, input-variable-added at /variables/v0: The template reads "v0", which callers do not send.",
    ]
  `);
  expect(await show(ran, recordBaseline({}))).toEqual(await show(ran, fileOf()));
});

test('twenty breaks are named one by one, and the others counted', async () => {
  const failuresOf = async (count: number) =>
    (await judge({ variants: [{ messages: needing(count) }] }, fileOf())).failures.map(({ message }) => message);
  expect(await failuresOf(20)).toHaveLength(20);
  const many = await failuresOf(22);
  expect([many.length, many.at(-1)]).toEqual([21, 'and 2 more; `llmcheck contract check` lists them']);
});

const replacing = [{}, { prompt: 'v2', replaces: 'v1', messages: needing(1) }];

test('versions side by side are held to a contract only where the user compares them', async () => {
  expect(await show({ variants: replacing })).toEqual([]);
  expect(await show({ variants: replacing, settings: { compare: ['v1', 'v2'] } })).toMatchInlineSnapshot(`
    [
      "triage v2: /variables/v0",
      "v2 fails: input contract, input-variable-added at /variables/v0: The template reads "v0", which callers do not send.",
    ]
  `);
  // What was accepted of the replaced version is a contract.
  expect(await show({ variants: replacing }, fileOf())).toEqual(
    await show({ variants: replacing, settings: { compare: ['v1', 'v2'] } }),
  );
});

test('a baseline holds whatever its file is called', async () => {
  const ran = { variants: [{ messages: needing(1) }] };
  expect(await show(ran, { ...fileOf(), source: 'this run' })).toEqual(await show(ran, fileOf()));
});

test('a prompt that runs beside its accepted one is held to what was accepted', async () => {
  const rerun = { prompt: 'v1@baseline', baselineOf: 'v1', messages: needing(2) };
  expect(await show({ variants: [rerun, { messages: needing(1) }] }, fileOf())).toEqual(
    await show({ variants: [{ messages: needing(1) }] }, fileOf()),
  );
});

test('each prompt is judged by itself, on all its providers together', async () => {
  const variants = [{ messages: needing(1) }, { provider: 'q', messages: needing(1) }, { prompt: 'v2' }];
  const baseline = fileOf({
    variants: [{}, { provider: 'q' }, { prompt: 'v2', messages: needing(1) }],
    cases: [{}, { provider: 'q' }, { prompt: 'v2' }],
  });
  expect(await show({ variants }, baseline)).toMatchInlineSnapshot(`
    [
      "triage v1: /variables/v0",
      "triage v2: /variables/v0",
      "v1 fails: input contract, input-variable-added at /variables/v0: The template reads "v0", which callers do not send.",
      "warning: triage: contract of v2, input-variable-unused at /variables/v0: The template does not read "v0" any more; what callers send there is lost.",
    ]
  `);
});

test('a prompt is held to what was accepted of its own provider', async () => {
  const accepted = fileOf({
    variants: [{}, { provider: 'q', messages: needing(1) }],
    cases: [{}, { provider: 'q' }],
  });
  expect(await show({ variants: [{ provider: 'q', messages: needing(1) }] }, accepted)).toEqual(['triage v1: ']);
});

test.each<[string, object, object]>([
  ['the baseline', { $ref: '#/none' }, { type: 'object' }],
  ['this run', { type: 'object' }, { $ref: '#/none' }],
])('a schema of %s that can not be read is a warning', async (side, old, now) => {
  const { contracts, failures, warnings } = await judge(
    { variants: [output(now)] },
    fileOf({ variants: [output(old)] }),
  );
  expect([contracts, failures, warnings.length]).toEqual([[], [], 1]);
  expect(warnings[0]).toMatch(new RegExp(`^triage: the contract of prompt v1 was not compared: in ${side}, `));
});

test('a finding says where it is written, while the files are at hand', async () => {
  const asked: string[] = [];
  const at = { file: 'prompt.md', line: 2, column: 3 };
  const { contracts } = await judge(
    { variants: [{ messages: needing(1) }] },
    fileOf(),
    async (suite, prompt, pointer) => {
      asked.push(`${suite} ${prompt} ${pointer}`);
      return at;
    },
  );
  expect(asked).toMatchInlineSnapshot(`
    [
      "triage v1 /variables/v0",
    ]
  `);
  expect(contracts[0]?.findings.map((finding) => finding.at)).toEqual([at]);
});
