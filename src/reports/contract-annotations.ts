import { type ContractReport, isBreak, type LocatedFinding } from '../model/finding.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { describeRejected } from './describe-rejected.ts';
import { type Annotation, maxAnnotations, renderCommand } from './github-command.ts';

type Entry = ContractReport['entries'][number];

/** Breaks as errors, what is doubtful or was seen in stored answers as warnings, each at the line of its schema. */
export function annotateContracts(entries: readonly Entry[]): readonly Annotation[] {
  return entries.flatMap((entry) => [
    ...entry.findings
      .filter(({ severity, approved }) => severity !== 'info' && approved !== true)
      .map((finding) => annotate(entry, finding)),
    ...(entry.observed ?? [])
      .filter(({ rejected, unjudged = 0 }) => rejected > 0 || unjudged > 0)
      .map((seen): Annotation => {
        const title = [entry.suite, entry.prompt, 'stored answers'].filter((part) => part !== undefined).join(' · ');
        return { level: 'warning', title, message: [seen.message, ...describeRejected(seen)].join('\n') };
      }),
  ]);
}

/** Workflow commands that become annotations; what a job does not show is counted. */
export function* renderContractGithub({ entries }: ContractReport): Iterable<string> {
  const all = annotateContracts(entries);
  let hidden = 0;
  for (const level of ['error', 'warning'] as const) {
    const own = all.filter((annotation) => annotation.level === level);
    for (const annotation of own.slice(0, maxAnnotations)) yield renderCommand(annotation);
    hidden += Math.max(0, own.length - maxAnnotations);
  }
  if (hidden > 0) {
    const message = `and ${hidden} more contract findings; the terminal report lists them all`;
    yield renderCommand({ level: 'notice', title: 'llmcheck', message });
  }
}

function annotate({ suite, prompt }: Entry, finding: LocatedFinding): Annotation {
  const { ruleId, path, message, fingerprint, at, direction } = finding;
  return {
    level: isBreak(finding) ? 'error' : 'warning',
    title: [suite, prompt, `${direction} contract`, ruleId].filter((part) => part !== undefined).join(' · '),
    message: toSafeLine(`${path === '' ? '(root)' : path}: ${message} (${fingerprint})`),
    ...(at !== undefined && { at }),
  };
}
