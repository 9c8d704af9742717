import { useMemo } from 'preact/hooks';
import type { JsonValue } from '../../json/json.ts';
import type { PageText } from '../../model/report/page.ts';
import { CutNote, formatNumber, plainText, SafeText, Table, TextBlock } from '../elements.tsx';
import {
  type AlignedRow,
  alignAnswers,
  diffJsonTexts,
  diffTexts,
  isBeyondDiff,
  type JsonChange,
  type SideLine,
  type SidePart,
} from './diff.ts';

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

/** One answer. Its lines are rows of a grid, beside the other answer's lines. */
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

interface TextDiffProps {
  readonly before: string;
  readonly after: string;
  /** The label of the compared texts. */
  readonly label: string;
}

/** Both texts in one: removed parts are struck out, added parts are underlined. */
export function TextDiff({ before, after, label }: TextDiffProps) {
  const parts = diffTexts(before, after);
  if (parts === undefined) {
    return (
      <>
        <p class="note">The two are too different to be compared.</p>
        <TextBlock value={before} label={`Before: ${label}`} />
        <TextBlock value={after} label={`After: ${label}`} />
      </>
    );
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

/** Makes a change of spaces and line breaks visible. */
function showBlank(text: string): string {
  return text.trim() === '' ? text.replaceAll(' ', '·').replaceAll('\n', '↵\n') : text;
}

/** The JSON members that differ; empty if a side is not JSON. */
export function MemberDiff({ before, after }: { readonly before: string; readonly after: string }) {
  const changes = diffJsonTexts(before, after);
  if (changes === undefined) return null;
  if (changes.length === 0) return <p class="note">The same JSON, written differently.</p>;
  return (
    <details>
      <summary>Changed members</summary>
      <JsonChanges changes={changes} />
    </details>
  );
}

function JsonChanges({ changes }: { readonly changes: readonly JsonChange[] }) {
  return (
    <Table label="Difference of the JSON, by members" kind="json-changes" headings={['Member', 'Baseline', 'Now']}>
      {changes.map(({ path, before, after }, index) => (
        <tr key={index}>
          <th scope="row">
            <code>
              <SafeText text={path === '' ? '(root)' : path} />
            </code>
          </th>
          <td>
            {before === undefined ? (
              <span class="muted">not there</span>
            ) : (
              <del>
                <SafeText text={show(before)} />
              </del>
            )}
          </td>
          <td>
            {after === undefined ? (
              <span class="muted">removed</span>
            ) : (
              <ins>
                <SafeText text={show(after)} />
              </ins>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function show(value: JsonValue): string {
  return JSON.stringify(value);
}
