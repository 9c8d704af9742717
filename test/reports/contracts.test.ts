import { describe, expect, test } from 'vitest';
import type { ContractReport } from '../../src/model/comparison/finding.ts';
import { renderContractMarkdown } from '../../src/reports/markdown/contracts.ts';
import { renderContractTerminal } from '../../src/reports/terminal/contracts.ts';
import { buildContract, buildFinding } from '../support/build-contracts.ts';
import { plainStyle } from '../support/build-report.ts';

const info = buildFinding({ severity: 'info', ruleId: 'order', fingerprint: 'f1' });
const warn = buildFinding({ severity: 'warn', ruleId: 'grew', fingerprint: 'f2', path: '' });
const error = buildFinding({ fingerprint: 'f3' });
const approved = buildFinding({ approved: true, fingerprint: 'f4' });
const contract = (findings: readonly ReturnType<typeof buildFinding>[], more = {}) =>
  buildContract({ findings, observed: [], ...more });
const report = (entries: ContractReport['entries'], more: Partial<ContractReport> = {}): ContractReport => ({
  entries,
  notes: [],
  exitCode: 0,
  ...more,
});

const terminal = (found: ContractReport, quiet = false) =>
  [...renderContractTerminal(found, { ...plainStyle, quiet })]
    .join('')
    .split('\n')
    .filter((line) => line !== '');

describe('a check of contracts on the terminal', () => {
  test('counts findings by their weight, approved ones apart, and ends with the verdict', () => {
    const last = (found: ContractReport) => terminal(found).slice(-2);
    expect(last(report([]))).toEqual([
      '0 errors, 0 warnings, 0 for information',
      'KEPT: the contract holds (exit code 0)',
    ]);
    expect(last(report([contract([info, warn]), contract([])]))[0]).toBe(
      '2 prompts: 0 errors, 1 warning, 1 for information',
    );
    expect(last(report([contract([approved, error, error, info])], { exitCode: 1 }))).toEqual([
      '1 prompt: 2 errors, 0 warnings, 1 for information, 1 approved',
      'BROKEN: the contract breaks (exit code 1)',
    ]);
    expect(last(report([], { exitCode: 4 }))[1]).toBe('INCOMPLETE: a path that was named has no suite (exit code 4)');
    const { prompt: _prompt, suite: _suite, ...file } = contract([warn]);
    expect(last(report([file]))[0]).toBe('0 errors, 1 warning, 0 for information');
  });

  test('shows the worst first, what was approved last, and quietly only what breaks', () => {
    const rules = (lines: readonly string[]) =>
      lines.flatMap((line) => /^ {2}(error|warn|info|ok) +(\S+)/.exec(line)?.slice(1, 3).join(' ') ?? []);
    const found = report([contract([approved, info, warn, error])], { notes: ['a note'], exitCode: 1 });
    expect(rules(terminal(found))).toEqual([
      'error enum-value-added',
      'warn grew',
      'info order',
      'ok enum-value-added',
    ]);
    expect(terminal(found)).toContain('note: a note');
    expect(terminal(found, true)).toEqual([
      'support-triage · v2  against evals/triage.baseline.jsonl',
      '  error enum-value-added output /outputSchema/properties/queue',
      '        evals/schemas/triage.json:6:7 f3',
      '        The value "fraud" is allowed as well.',
      '1 prompt: 1 error, 1 warning, 1 for information, 1 approved',
      'BROKEN: the contract breaks (exit code 1)',
    ]);
    expect(terminal(report([contract([info])]), true)).toHaveLength(2);
  });
});

test('a summary of contracts says what breaks first, and folds the rest', () => {
  const markdown = (found: ContractReport) => [...renderContractMarkdown(found)].join('');
  expect(markdown(report([]))).toBe('**The contract holds.**\n');
  expect(markdown(report([], { exitCode: 4, notes: ['a note'] }))).toBe(
    '**Incomplete: a path that was named has no suite.**\n\n> a note\n',
  );
  expect(markdown(report([contract([]), contract([approved, info, error])], { exitCode: 1 }))).toMatchInlineSnapshot(`
    "**The contract breaks: 1 unapproved.**

    ### \`support-triage · v2\` against \`evals/triage.baseline.jsonl\`

    |  | rule | contract | path | what | where | fingerprint |
    | --- | --- | --- | --- | --- | --- | --- |
    | error | \`enum-value-added\` | output | \`/outputSchema/properties/queue\` | The value "fraud" is allowed as well. | \`evals/schemas/triage.json:6\` | \`f3\` |

    <details><summary>2 more that break nothing</summary>

    |  | rule | contract | path | what | where | fingerprint |
    | --- | --- | --- | --- | --- | --- | --- |
    | approved | \`enum-value-added\` | output | \`/outputSchema/properties/queue\` | The value "fraud" is allowed as well. | \`evals/schemas/triage.json:6\` | \`f4\` |
    | info | \`order\` | output | \`/outputSchema/properties/queue\` | The value "fraud" is allowed as well. | \`evals/schemas/triage.json:6\` | \`f1\` |

    </details>
    "
  `);
  expect(markdown(report([contract([info])]))).toContain('1 more that break nothing');
});
