import { describe, expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';

const given = 'params: { tools: [{ name: find_order }, { type: function, function: { name: issue_refund } }] }';

/** What `validate` says of a case, in one line. */
async function validate(caseKeys: string, { params = given, use = 'openai:gpt-4o-mini' } = {}) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [a.eval.yaml]\n');
  project.write('app.mjs', 'export default () => "Hi";\n');
  project.write(
    'a.eval.yaml',
    `suite: a
prompts: [{ id: v1, text: "Hi" }]
providers:
  - { id: mini, use: "${use}"${params === '' ? '' : `, ${params}`} }
cases:
  - { id: late, ${caseKeys} }
`,
  );
  const { code, stderr } = await project.run(['validate'], { env: { OPENAI_API_KEY: 'k' } });
  const run = await project.run(['run', '--dry-run'], { env: { OPENAI_API_KEY: 'k' } });
  const of = (text: string) => text.split('\n').filter((line) => line.includes('unknown-tool'));
  expect(of(run.stderr)).toEqual(of(stderr));
  expect([code, run.code]).toEqual([0, 0]);
  return { warnings: of(stderr), stderr };
}

describe('a tool that the model does not have', () => {
  test.each([
    ['assert: [{ trajectory: { never: isue_refund } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ trajectory: { never: [{ name: isue_refund, args: { id: 1 } }] } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ trajectory: { after: { isue_refund: find_order } } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ trajectory: { after: { issue_refund: find_ordr } } }]', 'checks calls of "find_ordr"'],
    ['assert: [{ trajectory: { counts: { isue_refund: { max: 1 } } } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ trajectory: { noRepeats: isue_refund } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ not: { toolCalls: isue_refund } }]', 'checks calls of "isue_refund"'],
    ['assert: [{ not: { toolCalls: { names: [isue_refund] } } }]', 'checks calls of "isue_refund"'],
    [
      'turns: [{ user: a, assert: [{ trajectory: { never: isue_refund } }] }], assert: [{ contains: a }]',
      'isue_refund',
    ],
  ])('is named where a case has %s', async (keys, words) => {
    const { warnings, stderr } = await validate(keys);
    expect(warnings).toEqual([expect.stringMatching(/^a\.eval\.yaml:6:5 warning unknown-tool: case "late" /)]);
    expect(warnings[0]).toContain(words);
    expect(stderr).toMatch(/hint: did you mean "(?:find_order|issue_refund)"\?/);
  });

  test('is no warning where the model has it, or where its tools are not known', async () => {
    for (const keys of [
      'assert: [{ trajectory: { calls: find_order, never: issue_refund, after: { issue_refund: find_order } } }]',
      'assert: [{ contains: isue_refund }, { trajectory: { noRepeats: true } }]',
    ])
      expect((await validate(keys)).warnings).toEqual([]);
    const never = 'assert: [{ trajectory: { never: x } }]';
    expect((await validate(never, { params: '' })).warnings).toEqual([]);
    expect((await validate(never, { use: 'module:app.mjs' })).warnings).toEqual([]);
  });
});
