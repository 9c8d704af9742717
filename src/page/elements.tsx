import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CaseChange } from '../model/comparison/comparison.ts';
import type { PageCell, PageText, PageVariant } from '../model/report/page.ts';
import { splitUnsafe } from '../text/sanitize.ts';

/** Text from outside. It names control and invisible characters, and isolates the text's direction. */
export function SafeText({ text }: { readonly text: string }) {
  return (
    <bdi>
      {splitUnsafe(text).map((part, index) =>
        'text' in part ? (
          part.text
        ) : (
          <span key={index} class="mark" title="An invisible character">
            {part.mark}
            {part.count > 1 ? `×${part.count}` : ''}
          </span>
        ),
      )}
    </bdi>
  );
}

export function SafeLine({ text }: { readonly text: string }) {
  return <SafeText text={text.replace(/\s+/g, ' ')} />;
}

export function Code({ text }: { readonly text: string }) {
  return (
    <code>
      <SafeLine text={text} />
    </code>
  );
}

/** A remark on the text before it, in smaller letters. */
export function Where({ text }: { readonly text: string }) {
  return (
    <span class="where">
      <SafeLine text={text} />
    </span>
  );
}

export function LineItems({ texts }: { readonly texts: readonly string[] }) {
  return (
    <>
      {texts.map((text, place) => (
        <li key={place}>
          <SafeLine text={text} />
        </li>
      ))}
    </>
  );
}

interface TextBlockProps {
  readonly value: PageText;
  readonly label: string;
}

/** A whole text with a button that copies it. */
export function TextBlock({ value, label }: TextBlockProps) {
  const text = plainText(value);
  return (
    <div class="text-block">
      <CopyButton text={text} label={label} />
      <pre tabIndex={0} role="region" aria-label={label}>
        {text === '' ? <span class="muted">(empty)</span> : <SafeText text={text} />}
      </pre>
      <CutNote value={value} />
    </div>
  );
}

/** Says that a text is only the start of a longer one. */
export function CutNote({ value }: { readonly value: PageText }) {
  if (typeof value === 'string') return null;
  return (
    <p class="note">
      Cut at {kilobytes(value.text.length)} of {kilobytes(value.ofChars)}: see the record.
    </p>
  );
}

export function plainText(value: PageText): string {
  return typeof value === 'string' ? value : value.text;
}

function kilobytes(chars: number): string {
  return chars < 1_000_000 ? `${Math.max(1, Math.round(chars / 1024))} KB` : `${(chars / 1_048_576).toFixed(1)} MB`;
}

interface CopyButtonProps {
  readonly text: string;
  /** The name of the copied text. */
  readonly label: string;
  readonly caption?: string;
}

export function CopyButton({ text, label, caption = 'Copy' }: CopyButtonProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    void copyText(text).then((isCopied) => setState(isCopied ? 'copied' : 'refused'));
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`${caption}: ${label}`}>
      <span aria-live="polite">{state === 'idle' ? caption : words[state]}</span>
    </button>
  );
}

const words = { copied: 'Copied', refused: 'Not allowed' } as const;

/** Falls back to `execCommand`, because a page from disk may have no clipboard API. */
async function copyText(text: string): Promise<boolean> {
  if (isSecureContext && 'clipboard' in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'off-screen';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}

export function nameOf({ prompt, provider }: Pick<PageVariant, 'prompt' | 'provider'>): string {
  return `${prompt} × ${provider}`;
}

/** `2/3` passed, if there are several trials. */
export function trialsOf({ trials }: PageCell): string | undefined {
  return trials === undefined ? undefined : `${trials[0]}/${trials[1]}`;
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

/** `SafeText` as a string, for titles and attributes. */
export function plainName(text: string): string {
  return splitUnsafe(text)
    .map((part) => ('text' in part ? part.text : `<${part.mark}>`))
    .join('');
}

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
  'not passed': '!',
};

const tones: Readonly<Record<string, string>> = {
  passed: 'good',
  failed: 'bad',
  flaky: 'warn',
  errored: 'warn',
  skipped: 'quiet',
  inconclusive: 'warn',
  incomplete: 'warn',
  'not passed': 'warn',
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

interface TableProps {
  readonly label: string;
  /** `number` aligns its column to the right. */
  readonly headings: readonly (string | { readonly number: string })[];
  readonly kind?: string;
  readonly children: ComponentChildren;
}

/** A table that scrolls horizontally, so that a wide one does not widen the page. */
export function Table({ label, headings, kind, children }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={plainName(label)}>
      <table class={kind}>
        <thead>
          <tr>
            {headings.map((heading) => {
              const isNumber = typeof heading !== 'string';
              const text = isNumber ? heading.number : heading;
              return (
                <th key={text} scope="col" class={isNumber ? 'number' : undefined}>
                  {text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
