import { describe, expect, it } from 'vitest';
import type { CaseReport, Report } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { renderMarkdown } from '../../src/reports/markdown/markdown.ts';
import { codeBlock, codeCell, codeSpan, escapeHtmlLine, proseOrCode } from '../../src/reports/markdown/text.ts';
import {
  buildCase,
  buildComparison,
  buildDecision,
  buildReport,
  buildReports,
  buildSuite,
  buildVariant,
} from '../support/build-report.ts';
import { findMarkdownFault } from '../support/find-markdown-fault.ts';

function render(report: Report, options: { maxChars?: number } = {}): string {
  return [...renderMarkdown(report, options)].join('');
}

function theme(name: string): Report {
  const report = buildReports()[name];
  if (report === undefined) throw new Error(`no report ${name}`);
  return report;
}

/** Regressed cases with answers of that many characters, and a prompt that differs. */
function buildLarge(cases: number, units: number): Report {
  const answer = (index: number, word: string): string =>
    `${word} ${`line ${index} of ${word} ${'and on and '.repeat(7)}\n`.repeat(units / 100)}`;
  const entries = Array.from({ length: cases }, (_, index): CaseReport => {
    const row: Partial<CellRow> = {
      output: answer(index, 'after'),
      checks: [
        { assertion: 'contains', pass: false, score: 0, reason: `"refund" is not in "${answer(index, 'after')}"` },
      ],
    };
    const baseline = { status: 'passed', output: answer(index, 'before') } as const;
    return buildCase({ caseId: `case-${index}`, status: 'failed', change: 'regressed', baseline }, [row]);
  });
  const prompt = (word: string) => [{ role: 'system', content: answer(0, word) }];
  const comparison = buildComparison({
    outcome: 'failed',
    passRate: { baseline: 1, candidate: 0, delta: -1, low: -1, high: -0.9, p: 0 },
    prompts: { baseline: prompt('old'), candidate: prompt('new') },
    unmatched: ['params.temperature: 0 → 1'],
  });
  const passRate = { value: 0, low: 0, high: 0.1, n: cases };
  const variants = [buildVariant({ planned: cases, passed: 0, failed: cases, passRate, comparison })];
  return buildReport([buildSuite(entries, { variants })], {
    decision: {
      outcome: 'failed',
      warnings: [],
      breaches: entries.map(({ caseId }) => ({
        code: 'case-broken',
        suite: 'support-triage',
        prompt: 'v2',
        provider: 'openai:gpt-4o-mini',
        caseId,
        message: answer(0, 'broken'),
      })),
    },
    exitCode: 1,
  });
}

describe('the first line', () => {
  it.each([
    ['passed', '### ✅ llmcheck PASSED: the case passes (exit code 0)'],
    ['accepted', '### 🟡 llmcheck PASSED: this change accepts 1 regression (exit code 0)'],
    [
      'failed',
      '### ❌ llmcheck FAILED: 3 of 4 `support-triage` cases fail with `v2` × `openai:gpt-4o-mini` (exit code 1)',
    ],
    [
      'regressed',
      '### ❌ llmcheck FAILED: 3 of 8 `support-triage` cases broke with `v2` × `openai:gpt-4o-mini` (1 confirmed): pass rate 98 → 96 %; ' +
        '1 new `support-triage` case fails with `v2` × `openai:gpt-4o-mini`; 1 more limit broken (exit code 1)',
    ],
    [
      'inconclusive',
      '### ⚠️ llmcheck INCONCLUSIVE: 1 `support-triage` case looks worse with `v2` × `openai:gpt-4o-mini` and is not settled: ' +
        'the calls for fresh trials were used up before it was settled (exit code 4)',
    ],
    ['empty', '### ⛔ llmcheck INCOMPLETE: nothing was evaluated (exit code 4)'],
  ])('of a run that is %s is the verdict', (name, line) => {
    expect(render(theme(name)).split('\n')[0]).toBe(line);
  });
});

describe('what broke', () => {
  it('names the confirmed cases first, and apart from others with the same answers', () => {
    const trial = { output: 'no', checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'it is "no"' }] };
    const cases = ['a', 'b', 'c'].map((caseId) =>
      buildCase({ caseId, status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'yes' } }, [
        trial,
      ]),
    );
    const comparison = buildComparison({ outcome: 'failed' });
    const place = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini' };
    const suite = buildSuite(cases, { variants: [buildVariant({ planned: 3, passed: 0, failed: 3, comparison })] });
    const text = render(
      buildReport([suite], {
        decision: {
          outcome: 'failed',
          warnings: [],
          breaches: [{ ...place, code: 'case-broken', caseId: 'c', message: 'c passed before' }],
        },
        exitCode: 1,
      }),
    );
    const rows = text.split('\n').filter((line) => /^\| `[abc]`/.test(line));
    expect(rows.map((row) => [row.slice(2, row.indexOf('<br>')), row.includes('not confirmed')])).toEqual([
      ['`c`', false],
      ['`a`, `b`', true],
    ]);
  });

  it('comes before the metrics, worst first, with the old and the new answer', () => {
    const text = render(theme('regressed'));
    const rows = text.split('\n').filter((line) => /^\| `\w+`<br>/.test(line));
    expect(rows.map((row) => /`(\w+)`/.exec(row)?.[1])).toEqual([
      'broken',
      'order',
      'tool',
      'newcomer',
      'shaky',
      'weather',
    ]);
    expect(rows[5]).toContain('<br>**drifted**, it fails with the accepted prompt too, ');
    expect(rows[0]?.replaceAll('&#46;', '.')).toContain(
      '| <code>I am sorry to hear that. Your refund is on its way.</code> | <code>I cannot help with that.</code> |',
    );
    expect(text.indexOf('`broken`')).toBeLessThan(text.indexOf('Δ pass rate'));
  });

  it('shows long answers where they differ, with the difference marked', () => {
    expect(render(theme('regressed'))).toContain(
      '<code>&#8230;be with you within <b>two</b> days&#46;</code> | <code>&#8230;be with you within <b>ten</b> days&#46;</code>',
    );
  });

  it('has no column for old answers where nothing is compared', () => {
    expect(render(theme('failed'))).toContain('| case | answer | why |\n');
  });

  it('names what is not a case, and what could not be judged', () => {
    expect(render(theme('regressed'))).toContain(
      '**Limits broken**\n\n- `support-triage · v2 × openai:gpt-4o-mini: cost +25.0 % [+21.0, +29.0], at most +10.0 % allowed`\n',
    );
    expect(render(theme('incomplete'))).toContain(
      '- **2 cases** with `v2` × `local`: `network: connect ECONNREFUSED 127.0.0.1:11434`: `a`, `b`\n',
    );
  });
});

it('never says that there is no regression where the data are inconclusive', () => {
  expect(render(theme('inconclusive'))).not.toMatch(/no regression|not regressed/i);
  expect(render(theme('inconclusive'))).toContain('a drop of up to 26.2 pts is not excluded');
});

it('shows a remark once, though it is a warning and a note', () => {
  const [suite] = theme('inconclusive').suites;
  const note = suite?.variants[0]?.comparison?.notes[0] ?? '';
  const warnings = [`support-triage · v2 × openai:gpt-4o-mini: ${note}`];
  const text = render({ ...theme('inconclusive'), decision: buildDecision({ outcome: 'inconclusive', warnings }) });
  expect(text.split(note)).toHaveLength(2);
});

it('has a short difference of one prompt, unmatched and tolerated cases open, and the numbers folded', () => {
  const text = render(theme('regressed'));
  const [open = '', folded = ''] = text.split('<details>');
  expect(open).toContain('+ {+Never offer+} a refund where one is due.');
  expect(open).toContain('params.temperature: 0 → 0.7');
  expect(open).toContain('- 1 case tolerated, `known failure: it fails in the baseline too`: `known`\n');
  expect(folded).toContain('<summary>Numbers</summary>');
  expect(folded).toContain('Δ pass rate');
});

it('folds answers away that a cell has no room for', () => {
  const text = render(buildLarge(2, 1000));
  const folded = text.slice(text.indexOf('<details>'));
  expect(folded).toContain('<summary>Answers: <code>support&#45;triage &#183; case&#45;0</code></summary>');
  expect(folded).toContain('- [-before-] line 0 of [-before-]');
  expect(render(theme('regressed'))).not.toContain('Answers');
});

describe('the size', () => {
  it('of 5 MB of answers stays within a comment, with the verdict first and the count of the cases that are not shown', () => {
    const text = render(buildLarge(50, 50_000));
    expect(text.length).toBeLessThanOrEqual(65_000);
    expect(text.length).toBeGreaterThan(30_000);
    expect(text).toMatch(/^### ❌ llmcheck FAILED: 50 of 50 `support-triage` cases broke/);
    expect(text).toContain('… and 40 more cases (40 regressed): `llmcheck report` lists them all.');
    expect(text).toContain('50 planned = 0 passed + 50 failed · ');
    expect(findMarkdownFault(text)).toBeUndefined();
  });

  it.each([1500, 3000, 8000, 16_000])('of at most %i characters is never more, and detail goes first', (maxChars) => {
    const text = render(buildLarge(20, 1000), { maxChars });
    expect(text.length).toBeLessThanOrEqual(maxChars);
    expect(text).toMatch(/^### ❌ llmcheck FAILED: 20 of 20 `support-triage` cases broke/);
    expect(text).toContain('**Left out for length:**');
    expect(findMarkdownFault(text)).toBeUndefined();
  });

  it('leaves nothing out of a report that fits', () => {
    expect(render(theme('regressed'))).not.toContain('Left out');
  });
});

describe('foreign text', () => {
  it.each([
    ['plain', '`plain`'],
    ['', '(empty)'],
    ['a`b', '``a`b``'],
    ['`', '`` ` ``'],
    ['``a', '``` ``a ```'],
    [' a ', '`  a  `'],
    ['two\nlines', '`two␊lines`'],
  ])('%j is the code span %s', (text, span) => {
    expect(codeSpan(text, 80)).toBe(span);
  });

  it.each([
    ['a|b', '`a\\|b`'],
    ['a\\|b', '`a\\ \\|b`'],
  ])('%j in a cell is %s', (text, span) => {
    expect(codeCell(text, 80)).toBe(span);
  });

  it('is bounded in characters even where marks are stacked on letters', () => {
    expect(codeSpan('z\u0300\u0301\u0316'.repeat(5000), 100).length).toBeLessThan(410);
    const accented = 'e\u0301'.repeat(100);
    expect(codeSpan(accented, 100)).toBe(`\`${accented}\``);
  });

  it('gets a fence that it can not close', () => {
    expect(codeBlock(['```', '`````'], 'diff')).toBe('``````diff\n```\n`````\n``````\n');
  });

  it.each([
    ['3 of 4 answers are new: +2.0 pts [?, ~5]', '3 of 4 answers are new: +2.0 pts \\[?, \\~5\\]'],
    ['ask @admin', '`ask @admin`'],
    ['see www.evil.example', '`see www.evil.example`'],
    ['fixes GH-12', '`fixes GH-12`'],
    ['commit 0123abcd', '`commit 0123abcd`'],
    [':smile:', '`:smile:`'],
    ['[a](b)', '`[a](b)`'],
    ['*a*', '`*a*`'],
  ])('%j is prose only where it is harmless', (text, written) => {
    expect(proseOrCode(text, 80)).toBe(written);
  });

  it('is escaped in HTML', () => {
    expect(escapeHtmlLine('<b>&`@x', 80)).toBe('&#60;b&#62;&#38;&#96;&#64;x');
  });
});

describe('the reasons and the contracts of the comment', () => {
  it('gives the first two reasons of a case', () => {
    const checks = [1, 2, 3].map((at) => ({ assertion: 'contains', pass: false, score: 0, reason: `why-${at}` }));
    const breach = { code: 'case-broken', caseId: 'refund', message: 'it passed before' } as const;
    const text = render(
      buildReport(
        [
          buildSuite([buildCase({ status: 'failed' }, [{ checks }])], {
            variants: [buildVariant({ passed: 0, failed: 1 })],
          }),
        ],
        {
          decision: { outcome: 'failed', warnings: [], breaches: [breach] },
          exitCode: 1,
        },
      ),
    );
    expect(text.match(/why-\d/g)).toEqual(['why-1', 'why-2']);
  });

  it('names a contract that only stored answers speak of, and none that is unchanged', () => {
    const { contracts: [contract] = [] } = theme('contract');
    if (contract === undefined) throw new Error('the report has other contracts now');
    const observed = { ...contract, findings: [] };
    const unchanged = { ...contract, prompt: 'v9', findings: [], observed: [] };
    const text = render({ ...theme('passed'), contracts: [observed, unchanged] });
    expect(text).toContain('### Contract of');
    expect(text).toContain(contract.observed?.[0]?.message);
    expect(text).not.toContain('v9');
  });
});
