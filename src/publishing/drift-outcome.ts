import { type DriftFinding, listDrifted, listUncompared } from '../assessing/judge-drift.ts';
import type { DriftIssue, KeptIssue } from '../github/drift-issue.ts';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import { renderCommand } from '../reports/ci/github.ts';
import { describeVerdict } from '../reports/headline.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';
import type { CiOutcome, DriftVerdict } from './ci-outcome.ts';
import { type JobIo, publishPorts } from './job.ts';
import { hintFor, type PublishFlags, type PublishOptions } from './publish-job-on-github.ts';
import { findPublishFault, publishIssue } from './publish-to-github.ts';

export interface DriftRun {
  readonly report: Report;
  readonly drift: DriftFinding;
  readonly outcomeAs: (drift: DriftVerdict) => CiOutcome;
}

/** Keeps the issue. By drift alone the job does not fail, if the issue says so. */
export async function publishDrift(
  outcome: CiOutcome,
  run: DriftRun,
  flags: PublishFlags,
  io: JobIo,
  options: PublishOptions,
): Promise<CiOutcome> {
  const { report, drift, outcomeAs } = run;
  // A run that failed or broke off otherwise says nothing about drift.
  const isUnknown = drift === 'none' && report.decision.outcome !== 'passed';
  const ofDrift = { drift: isUnknown ? '' : drift };
  const own = addOutputs(outcome, ofDrift);
  if (drift === 'blind') {
    const why = 'nothing was compared with a baseline, so that drift cannot be seen: accept a baseline first';
    warnOnPage(why, flags, io);
    return addOutputs(outcomeAs({ verdict: 'blind', note: why }), ofDrift);
  }
  if (drift === 'unconfirmed') {
    const note = 'A first run failed by drift, and a second one did not confirm it.';
    return report.decision.outcome === 'failed'
      ? addOutputs(outcomeAs({ verdict: 'unconfirmed', note }), ofDrift)
      : { ...own, body: `> **Drift not confirmed**: ${note}\n\n${outcome.body}` };
  }
  if (drift === 'none' && report.decision.outcome !== 'passed') return own;
  const uncompared = listUncompared(report);
  if (drift === 'none' && uncompared.length > 0) {
    const names = uncompared.join(', ');
    warnOnPage(`no baseline: in ${names} drift cannot be seen, so an open issue is not closed`, flags, io);
    return own;
  }
  const kept = await keepIssue(describeIssue(run, options), flags, io, options);
  if (kept?.ok !== true) return own;
  io.stderr.write(`note: ${describeKept(kept)}\n`);
  const links = { ...ofDrift, ...defined({ issueUrl: kept.url }) };
  if (drift === 'none') return addOutputs(outcome, links);
  return addOutputs(outcomeAs({ verdict: 'drift', note: `Two runs agree: ${describeKept(kept)}.` }), links);
}

function addOutputs(outcome: CiOutcome, outputs: CiOutcome['outputs']): CiOutcome {
  return { ...outcome, outputs: { ...outcome.outputs, ...outputs } };
}

function describeKept(kept: Extract<KeptIssue, { ok: true }>): string {
  const name = kept.url === undefined ? 'the issue' : `the issue ${kept.url}`;
  switch (kept.how) {
    case 'none':
      return 'no issue of a drift is open';
    case 'muted':
      return `${name} of the same drift was closed as not planned, and stays closed`;
    case 'opened':
    case 'updated':
    case 'closed':
      return `${name} was ${kept.how}`;
  }
}

function describeIssue({ report, drift, outcomeAs }: DriftRun, { id, mask, github }: PublishOptions): DriftIssue {
  if (drift === 'none') {
    const log = github?.runUrl === undefined ? '' : ` ([log](${github.runUrl}))`;
    return { id, is: 'over', body: `The drift is over: this run passed${log}.\n` };
  }
  const { body } = outcomeAs({ verdict: 'drift', note: 'Two runs agree.' });
  const title = clipText(mask(`Drift: ${describeVerdict(report)}`), maxTitleChars);
  return { id, is: 'found', title, body: mask(`${advice}${body}`), drifted: listDrifted(report) };
}

const maxTitleChars = 200;

const advice = `The answers to unchanged requests got worse. Two runs in a row agree, and each asked the failed cases again.

- If the new answers are right, accept them: refresh the baseline (\`llmcheck run --cache refresh --update-baseline\`).
- If they are wrong, pin the version of the model, or change the prompt.

Later runs update this issue, and the first one that passes closes it. Close it as "not planned" to mute the same drift.

`;

/** Undefined if the issue could not be written. A warning then says why. */
async function keepIssue(
  issue: DriftIssue,
  flags: PublishFlags,
  io: JobIo,
  { github, origin, root }: PublishOptions,
): Promise<KeptIssue | undefined> {
  const token = io.env['GITHUB_TOKEN'] ?? '';
  // Of the commit, `publishJobOnGithub` warns.
  const checkout = { ...origin, cwd: root, env: io.env };
  if (github !== undefined && findPublishFault(github, checkout) !== undefined) return undefined;
  if (github === undefined || token === '') {
    const missing = github === undefined ? 'GITHUB_REPOSITORY names no repository' : 'GITHUB_TOKEN is not set';
    warnOnPage(`the issue was not written: ${missing}`, flags, io);
    return undefined;
  }
  const kept = await publishIssue(github, issue, publishPorts(io, token));
  if (!kept.ok) {
    warnOnPage(`the issue was not written: ${kept.message}${hintFor('issue', kept, github)}`, flags, io);
  }
  return kept;
}

function warnOnPage(message: string, { annotations }: PublishFlags, io: JobIo): void {
  io.stderr.write(`warning: ${toSafeLine(message)}\n`);
  if (annotations) io.stdout.write(renderCommand({ level: 'warning', title: 'llmcheck', message }));
}
