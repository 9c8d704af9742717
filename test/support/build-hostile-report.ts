import type { PromptFindings } from '../../src/model/comparison/finding.ts';
import type { Report } from '../../src/model/report/report.ts';
import { buildFinding } from './build-contracts.ts';
import {
  buildCase,
  buildComparison,
  buildEvidence,
  buildReport,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
} from './build-report.ts';

/** The text stands wherever a suite, a model or a server can put one. */
export function buildHostileReport(hostile: string): Report {
  const short = hostile.slice(0, 300);
  const place = { prompt: short, provider: short };
  const at = { file: short, line: 3, column: 1 };
  const toolCalls = [{ id: short, name: short, arguments: { [short]: hostile }, rawArguments: hostile }];
  const stepsWith = (content: string) => [
    { text: hostile, calls: toolCalls.map((call) => ({ ...call, result: { content, isError: true as const } })) },
    { text: '', calls: [{ name: `${short} again`, arguments: { [short]: hostile }, rawArguments: `{${hostile}` }] },
  ];
  const failing = {
    trajectory: stepsWith(hostile),
    state: { [short]: hostile },
    output: hostile,
    reasoning: hostile,
    calls: [
      { requestHash: 'a', cached: false, attempts: 1, costUsd: null, text: hostile },
      { requestHash: 'b', cached: false, attempts: 1, costUsd: null, text: hostile },
    ],
    asked: {
      messages: [{ role: short, content: hostile, attach: [short] }],
      turns: [{ role: 'tool' as const, name: short, content: hostile }],
      tags: [short],
      description: hostile,
    },
    refusal: hostile,
    model: short,
    toolCalls,
    checks: [
      {
        assertion: 'equals',
        name: short,
        pass: false,
        score: 0,
        reason: hostile,
        diff: { expected: `${short}\n${hostile}`, found: hostile },
      },
    ],
  };
  const error = { kind: 'network' as const, message: hostile, attempts: 1 };
  const baseline = {
    status: 'passed',
    output: `before ${hostile}`,
    toolCalls,
    trajectory: [...stepsWith(`before ${hostile}`).slice(0, 1), { text: hostile, calls: [] }],
    state: { [short]: `before ${hostile}` },
    reason: hostile,
  } as const;
  const cases = [
    buildCase({ ...place, caseId: short, status: 'failed', at, change: 'regressed', baseline }, [failing, failing]),
    buildCase({ ...place, caseId: `${short}2`, status: 'failed', at }, [
      { ...failing, trajectory: undefined, state: undefined, checks: [] },
    ]),
    buildUnansweredCase({ ...place, caseId: `${short}3`, status: 'errored', at }, { error }),
    buildUnansweredCase(
      { ...place, caseId: `${short}4`, status: 'skipped' },
      { skip: { reason: 'case', message: hostile } },
    ),
  ];
  const comparison = buildComparison({
    against: { source: short, prompt: `${short}0` },
    cases: {
      regressed: [short],
      drifted: [short],
      fixed: [short],
      stillFailing: [],
      flaky: [],
      added: [],
      removed: [],
      redefined: [],
    },
    unmatched: [short],
    advice: [short],
    notes: [hostile],
    accepted: [{ metric: short }],
    prompts: {
      baseline: [{ role: short, content: hostile }],
      candidate: [{ role: 'user', content: `${short}\n${hostile}` }],
    },
  });
  const variant = buildVariant({ ...place, planned: 5, passed: 0, failed: 3, errored: 1, skipped: 1, comparison });
  const suite = buildSuite(cases, { suite: short, path: short, variants: [variant] });
  return buildReport([suite], {
    decision: {
      outcome: 'failed',
      warnings: [hostile],
      evidence: [buildEvidence({ suite: short, ...place, caseId: short })],
      loosenedCases: [
        { suite: short, ...place, caseId: short, mustPass: true, before: [hostile], after: [short], reason: hostile },
      ],
      breaches: [{ code: 'pass-rate-min', suite: short, ...place, message: hostile }],
    },
    notes: [hostile],
    exitCode: 1,
    contracts: [buildHostileContract(hostile, short)],
  });
}

function buildHostileContract(hostile: string, short: string): PromptFindings {
  const texts = { ruleId: short, path: short, old: hostile, new: hostile, message: hostile, fingerprint: short };
  const at = { file: short, line: 3, column: 1 };
  const severities = ['error', 'warn', 'info'] as const;
  return {
    suite: short,
    prompt: short,
    against: short,
    findings: [
      ...severities.map((severity) => buildFinding({ ...texts, severity, at })),
      buildFinding({ ...texts, approved: true, at }),
    ],
    observed: [
      {
        answers: 'new',
        schema: 'old',
        total: 2,
        rejected: 1,
        offenders: [{ caseId: short, reason: hostile }],
        message: hostile,
      },
    ],
  };
}
