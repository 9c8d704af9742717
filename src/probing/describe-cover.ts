import { formatCount, formatPercent } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import { coverError } from './cover-instruction.ts';
import type { CoveredInstruction, CoveredPrompt } from './run-cover.ts';

export const coverageNames = {
  guarded: 'guarded',
  unnoticed: 'without a sensor',
  noEffect: 'without effect here',
  undecided: 'undecided',
} as const;

/** Where an instruction is: its line, or the tool that it describes. */
export function placeOf({ file, instruction: { kind, name = '' } }: CoveredInstruction): string {
  if (file !== undefined) return `${file.path}:${file.line}`;
  return kind === 'tool' ? `tool ${name}` : kind;
}

/** What the trials showed of an instruction, and no more. */
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

/** About four bytes of English are one token. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** How many instructions there are of each kind, and what the cases could have noticed. */
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
  const seen = `A rule that decides ${formatPercent(share)} of cases like these fails one of ${formatCount(fewest, 'case')} with probability ${formatPercent(1 - coverError)}.`;
  return [counts.join(', '), ...(asked.length === 0 ? [] : [`"Nothing failed" says what the suite can see. ${seen}`])];
}

export function describeInstruction({ instruction: { text } }: CoveredInstruction): string {
  return quote(text, 60);
}
