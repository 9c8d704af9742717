import { useMemo } from 'preact/hooks';
import type { PageText } from '../../model/page.ts';
import { CutNote, formatNumber, plainText, SafeText } from '../safe-text.tsx';
import { type AlignedRow, alignAnswers, type SideLine, type SidePart } from './diff.ts';
import { showBlank } from './text-diff.tsx';

interface AnswerPairProps {
  readonly before: PageText;
  readonly after: PageText;
  /** Lines that are drawn. */
  readonly maxRows: number;
}

/** The old and the new answer side by side, or one below the other on a narrow screen. */
export function AnswerPair({ before, after, maxRows }: AnswerPairProps) {
  const rows = useMemo(() => alignAnswers(plainText(before), plainText(after)), [before, after]);
  const shown = rows.slice(0, maxRows);
  return (
    <>
      <div class="pair">
        <Side name="Before" rows={shown} side="before" />
        <Side name="Now" rows={shown} side="after" />
      </div>
      {rows.length > shown.length ? (
        <p class="note">and {formatNumber(rows.length - shown.length)} more lines</p>
      ) : null}
      <CutNote value={plainText(before).length > plainText(after).length ? before : after} />
    </>
  );
}

interface SideProps {
  readonly name: string;
  readonly side: 'before' | 'after';
  readonly rows: readonly AlignedRow[];
}

/** One answer. Its lines are rows of a grid, beside those of the other answer. */
function Side({ name, side, rows }: SideProps) {
  return (
    <section class={`side ${side}`} aria-label={`${name}: answer`}>
      <span class="side-name" aria-hidden="true">
        {name}
      </span>
      {rows.map((row, at) => (
        <div key={at} class={classOf(row, side)} style={{ gridRow: String(at + 2) }}>
          {'folded' in row ? <Folded count={row.folded} what="equal lines" /> : <Line parts={row[side]} side={side} />}
        </div>
      ))}
    </section>
  );
}

function classOf(row: AlignedRow, side: 'before' | 'after'): string {
  if ('folded' in row) return 'row';
  return `row ${row[side] === undefined ? 'gone' : row.isChanged ? 'changed' : ''}`.trim();
}

function Line({ parts, side }: { readonly parts: SideLine | undefined; readonly side: 'before' | 'after' }) {
  if (parts === undefined) return null;
  const isEmpty = parts.every((part) => 'text' in part && part.text === '');
  if (isEmpty) return <span class="muted">{parts.length === 0 ? '' : '(empty)'}</span>;
  return (
    <>
      {parts.map((part, at) => (
        <Part key={at} part={part} side={side} />
      ))}
    </>
  );
}

function Part({ part, side }: { readonly part: SidePart; readonly side: 'before' | 'after' }) {
  if ('folded' in part) return <Folded count={part.folded} what="equal characters" />;
  if (!part.isChanged) return <SafeText text={part.text} />;
  const text = <SafeText text={showBlank(part.text)} />;
  return side === 'before' ? <del>{text}</del> : <ins>{text}</ins>;
}

function Folded({ count, what }: { readonly count: number; readonly what: string }) {
  return (
    <span class="fold">
      … {formatNumber(count)} {what} …
    </span>
  );
}
