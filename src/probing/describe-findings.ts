import { formatCount, formatPercent } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import type { BisectedCase, PlacedHunk } from './bisect.ts';
import { coverError } from './cover-instruction.ts';
import type { BreakingSet } from './find-breaking.ts';
import type { ProbeCount } from './probe-case.ts';
import type { CoveredInstruction, CoveredPrompt } from './run-cover.ts';

/** Describes the result for a case; claims no more than its trials show. */
export function describeBisected(found: BisectedCase): string {
  return `${describeCommits(found)}${describeVerdict(found)}`;
}

function describeCommits({ commits, caseId }: BisectedCase): string {
  if (commits === undefined) return '';
  const names = commits.map(({ hash, subject }) =>
    hash === '' ? subject : `commit ${hash.slice(0, 12)} ${quote(subject, maxShown)}`,
  );
  const text = joinAnd(names);
  const isOne = commits.length === 1 && commits[0]?.hash !== '';
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)} ${isOne ? 'breaks' : 'break'} ${caseId}. `;
}

function describeVerdict(found: BisectedCase): string {
  const { verdict, caseId, prompt, earlier } = found;
  switch (verdict.is) {
    case 'same':
      return `Nothing that ${prompt} sends differs from ${earlier}.`;
    case 'passes':
      return `${caseId} does not fail with ${prompt}: ${countPassed(verdict.now)} trials pass. Nothing is to blame.`;
    case 'failed-before':
      return `${caseId} fails with ${earlier} as well: ${countFailed(verdict.before)} trials fail. This change did not break it.`;
    case 'found':
      return `${describeSets(found, verdict.change.sets)}${describeRest(found)}.`;
    case 'undecided':
      return describeUndecided(found, verdict);
  }
}

function describeSets({ hunks, caseId }: BisectedCase, sets: readonly BreakingSet[]): string {
  return sets
    .map((set, index) => {
      const own = hunksOf(set.hunks, hunks);
      const subject = describeHunks(own);
      const trials = `${countFailed(set.alone)} trials fail`;
      if (index > 0) return `So ${isPlural(own) ? 'do' : 'does'} ${lowerFirst(subject)}${nameSet(set)}: ${trials}`;
      return `${subject}${nameSet(set)} ${isPlural(own) ? 'break' : 'breaks'} ${caseId}: ${trials}${explainSet(set)}`;
    })
    .join('. ');
}

function nameSet({ hunks, isMinimal }: BreakingSet): string {
  return hunks.length > 1 && isMinimal ? ' together' : ' alone';
}

function explainSet({ hunks, isMinimal }: BreakingSet): string {
  if (!isMinimal) return ', and they could not be told apart';
  return hunks.length > 1 ? ', and with no fewer of them' : '';
}

function describeRest({ verdict, prompt, hunks }: BisectedCase): string {
  const change = 'change' in verdict ? verdict.change : undefined;
  const { without, sets = [] } = change ?? {};
  if (without?.is !== 'passes' && without?.is !== 'fails') return '';
  const isOne = sets.length === 1 && !isPlural(hunksOf(sets[0]?.hunks ?? [], hunks));
  const outcome = without.is === 'passes' ? `passes ${countPassed(without)}` : `still fails ${countFailed(without)}`;
  return `; without ${isOne ? 'it' : 'them'} ${prompt} ${outcome}`;
}

function describeUndecided(
  found: BisectedCase,
  verdict: Extract<BisectedCase['verdict'], { is: 'undecided' }>,
): string {
  const { change, why } = verdict;
  const lines = [`Undecided: ${why}.`];
  if (change !== undefined && change.sets.length > 0) {
    lines.push(`Known so far: ${lowerFirst(describeSets(found, change.sets))}${describeRest(found)}.`);
  }
  const among = hunksOf(change?.open?.among ?? [], found.hunks);
  if (among.length > 0 && among.length < found.hunks.length) {
    lines.push(
      `${change?.sets.length === 0 ? 'The' : 'A further'} cause is among ${lowerFirst(describeHunks(among))}.`,
    );
  }
  return lines.join(' ');
}

/** The hunks known to break a case. */
export function breakingHunks({ verdict, hunks }: BisectedCase): readonly PlacedHunk[] {
  const sets = 'change' in verdict ? verdict.change.sets : [];
  return sets.flatMap((set) => hunksOf(set.hunks, hunks));
}

export function hunksOf(ids: readonly number[], hunks: readonly PlacedHunk[]): readonly PlacedHunk[] {
  return ids.flatMap((id) => hunks[id] ?? []);
}

/** Lists places of hunks: `Lines 4 and 12–13 of prompts/triage.md and params.temperature (0 → 1)`. */
function describeHunks(hunks: readonly PlacedHunk[]): string {
  const files = new Map<string, LineRange[]>();
  const others: string[] = [];
  for (const hunk of hunks) {
    const { file, after } = hunk;
    if (file === undefined || after === undefined) others.push(describeHunk(hunk));
    else files.set(file.path, addRange(files.get(file.path) ?? [], file));
  }
  const lines = [...files].map(([path, ranges]) => {
    const isOne = ranges.length === 1 && ranges.every(({ line, endLine }) => line === endLine);
    return `${isOne ? 'line' : 'lines'} ${joinAnd(ranges.map(writeRange))} of ${path}`;
  });
  const text = joinAnd([...lines, ...others]);
  // Parameter names keep their case.
  return /^[a-z]+ /.test(text) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
}

interface LineRange {
  readonly line: number;
  readonly endLine: number;
}

/** Adds a range, and merges it with the last one if they touch. Hunks are sorted by line. */
function addRange(ranges: readonly LineRange[], { line, endLine }: LineRange): LineRange[] {
  const last = ranges.at(-1);
  if (last === undefined || line > last.endLine + 1) return [...ranges, { line, endLine }];
  return [...ranges.slice(0, -1), { line: last.line, endLine: Math.max(last.endLine, endLine) }];
}

function writeRange({ line, endLine }: LineRange): string {
  return line === endLine ? `${line}` : `${line}–${endLine}`;
}

/** Describes a hunk that has no line in today's files. */
function describeHunk({ kind, name, before, after, file }: PlacedHunk): string {
  if (kind === 'model') return `the model (${before ?? ''} → ${after ?? ''})`;
  if (name !== undefined) {
    const path = kind === 'param' ? `params.${name}` : name;
    if (before === undefined || after === undefined) return `${path} (${before === undefined ? 'added' : 'removed'})`;
    return kind === 'param' && before.length + after.length <= maxShown ? `${path} (${before} → ${after})` : path;
  }
  if (kind === 'space') return 'a change of white space';
  if (after !== undefined) return `the text ${quote(after, maxShown)}`;
  const place = file === undefined ? '' : ` (line ${file.line} of ${file.path})`;
  return `the removal of ${quote(before ?? '', maxShown)}${place}`;
}

const maxShown = 60;

function isPlural(hunks: readonly PlacedHunk[]): boolean {
  return (
    hunks.length > 1 ||
    hunks.some(({ file, after }) => file !== undefined && after !== undefined && file.line !== file.endLine)
  );
}

function joinAnd(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]* /.test(text) ? text.slice(0, 1).toLowerCase() + text.slice(1) : text;
}

function countFailed({ passed, failed }: ProbeCount): string {
  return `${failed} of ${passed + failed}`;
}

function countPassed({ passed, failed }: ProbeCount): string {
  return `${passed} of ${passed + failed}`;
}

export const coverageNames = {
  guarded: 'guarded',
  unnoticed: 'without a sensor',
  noEffect: 'without effect here',
  undecided: 'undecided',
} as const;

/** The place of an instruction: its line, or the tool that it describes. */
export function placeOf({ file, instruction: { kind, name = '' } }: CoveredInstruction): string {
  if (file !== undefined) return `${file.path}:${file.line}`;
  return kind === 'tool' ? `tool ${name}` : kind;
}

/** Describes the verdict on an instruction; claims no more than its trials show. */
export function describeCoverage({ coverage, instruction, isStored }: CoveredInstruction): string {
  switch (coverage.is) {
    case 'guarded': {
      const { caseId, without, whole, reason } = coverage;
      if (isStored) return `by ${caseId}, as found before`;
      const trials = `without it, ${without.failed} of ${without.passed + without.failed} trials fail; with it, ${whole.passed} of ${whole.passed + whole.failed} pass`;
      return `by ${caseId}: ${trials}${reason === undefined ? '' : ` (${reason})`}`;
    }
    case 'unnoticed':
      return `answers to ${coverage.caseId} change without it, and no check of ${formatCount(coverage.asked, 'case')} notices`;
    case 'noEffect':
      return `${formatCount(coverage.asked, 'case')} asked without it, none failed, no answer changed; about ${formatCount(tokensOf(instruction.text), 'token')} a call`;
    case 'undecided':
      return `${coverage.why} (${formatCount(coverage.asked, 'case')} asked)`;
  }
}

/** Estimates tokens: about four bytes of English per token. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Counts the instructions of each kind, and says how small an effect the cases could have noticed. */
export function summarizeCover({ instructions }: CoveredPrompt): readonly string[] {
  const counts = (Object.keys(coverageNames) as (keyof typeof coverageNames)[]).flatMap((is) => {
    const count = instructions.filter(({ coverage }) => coverage.is === is).length;
    return count === 0 ? [] : [`${count} ${coverageNames[is]}`];
  });
  const asked = instructions.flatMap(({ coverage }) =>
    coverage.is === 'noEffect' || coverage.is === 'unnoticed' ? [coverage.asked] : [],
  );
  const fewest = Math.min(...asked);
  const share = 1 - coverError ** (1 / fewest);
  const seen = `A rule that decides ${formatPercent(share)} of cases like these fails ${fewest === 1 ? 'a case' : `one of ${formatCount(fewest, 'case')}`} with probability ${formatPercent(1 - coverError)}.`;
  return [counts.join(', '), ...(asked.length === 0 ? [] : [`"Nothing failed" says what the suite can see. ${seen}`])];
}

export function describeInstruction({ instruction: { text } }: CoveredInstruction): string {
  return quote(text, 60);
}
