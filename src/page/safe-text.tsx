import type { PageText } from '../model/page.ts';
import { splitUnsafe } from '../text/sanitize.ts';
import { CopyButton } from './copy-button.tsx';

/** A text of anybody: what acts or hides is named, and its direction ends where it does. */
export function SafeText({ text }: { readonly text: string }) {
  return (
    <bdi>
      {splitUnsafe(text).map((part, index) =>
        'text' in part ? (
          part.text
        ) : (
          <span key={index} class="mark" title="A character that is not seen">
            {part.mark}
            {part.count > 1 ? `×${part.count}` : ''}
          </span>
        ),
      )}
    </bdi>
  );
}

/** The start of a text on one line. */
export function SafeLine({ text }: { readonly text: string }) {
  return <SafeText text={text.replace(/\s+/g, ' ')} />;
}

interface TextBlockProps {
  readonly value: PageText;
  readonly label: string;
}

/** A whole text as it stands, to be read and copied. */
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

/** That a text is only the start of one. */
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
