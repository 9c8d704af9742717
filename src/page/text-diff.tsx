import { diffTexts, isBeyondDiff } from './diff-text.ts';
import { SafeText } from './safe-text.tsx';

interface TextDiffProps {
  readonly before: string;
  readonly after: string;
  /** Of what is compared. */
  readonly label: string;
}

/** Both texts as one, with what went struck out and what came underlined. */
export function TextDiff({ before, after, label }: TextDiffProps) {
  const parts = diffTexts(before, after);
  if (parts === undefined) {
    return <p class="note">The two are too different to be compared; they stand below each other.</p>;
  }
  return (
    <div class="text-block">
      <pre class="diff" tabIndex={0} role="region" aria-label={`Difference: ${label}`}>
        {parts.map(({ text, kind }, index) =>
          kind === 'same' ? (
            <SafeText key={index} text={text} />
          ) : kind === 'removed' ? (
            <del key={index}>
              <SafeText text={showBlank(text)} />
            </del>
          ) : (
            <ins key={index}>
              <SafeText text={showBlank(text)} />
            </ins>
          ),
        )}
      </pre>
      {isBeyondDiff(before, after) ? <p class="note">Only the first 20,000 characters are compared.</p> : null}
    </div>
  );
}

/** A change of nothing but blanks would not be seen. */
function showBlank(text: string): string {
  return text.trim() === '' ? text.replaceAll(' ', '·').replaceAll('\n', '↵\n') : text;
}
