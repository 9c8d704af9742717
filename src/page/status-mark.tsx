import type { CaseChange } from '../model/comparison.ts';

/** A status as sign, word and colour, so that each alone is enough. */
export function StatusMark({ status, detail }: { readonly status: string; readonly detail?: string | undefined }) {
  return (
    <span class={`status ${toneOf(status)}`}>
      <span class="sign" aria-hidden="true">
        {signs[status] ?? '·'}
      </span>
      {status}
      {detail === undefined ? null : <span class="detail">{detail}</span>}
    </span>
  );
}

export function toneOf(status: string): string {
  return tones[status] ?? 'quiet';
}

const signs: Readonly<Record<string, string>> = {
  passed: '✓',
  failed: '✕',
  flaky: '~',
  errored: '!',
  skipped: '–',
  inconclusive: '?',
  incomplete: '!',
};

const tones: Readonly<Record<string, string>> = {
  passed: 'good',
  failed: 'bad',
  flaky: 'warn',
  errored: 'warn',
  skipped: 'quiet',
  inconclusive: 'warn',
  incomplete: 'warn',
  error: 'bad',
  approved: 'quiet',
  info: 'quiet',
};

export function ChangeMark({ change }: { readonly change: CaseChange | undefined }) {
  if (change === undefined || change === 'stillPassing' || change === 'unjudged') return null;
  const tone = change === 'regressed' ? 'bad' : change === 'fixed' ? 'good' : 'quiet';
  return <span class={`chip ${tone}`}>{changeWords[change]}</span>;
}

export const changeWords: Readonly<Record<CaseChange, string>> = {
  regressed: 'regressed',
  drifted: 'drifted',
  fixed: 'fixed',
  stillFailing: 'still failing',
  stillPassing: 'still passing',
  flaky: 'flaky',
  added: 'added',
  removed: 'removed',
  redefined: 'redefined',
  unjudged: 'not judged',
};
