import type { JsonValue } from '../../json/json.ts';
import { SafeText, TextBlock } from '../safe-text.tsx';
import { Table } from '../table.tsx';
import { diffJsonTexts, diffTexts, isBeyondDiff, type JsonChange } from './diff.ts';

interface TextDiffProps {
  readonly before: string;
  readonly after: string;
  /** Of what is compared. */
  readonly label: string;
}

/** Both texts as one: removed parts are struck out, added ones underlined. */
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

/** Makes a change of blanks visible. */
function showBlank(text: string): string {
  return text.trim() === '' ? text.replaceAll(' ', '·').replaceAll('\n', '↵\n') : text;
}

/** An answer against the baseline's: by members where both are JSON, by words else. */
export function AnswerDiff({ before, after }: { readonly before: string; readonly after: string }) {
  if (before === after) return <p class="note">The same answer as in the baseline.</p>;
  const changes = diffJsonTexts(before, after);
  return (
    <>
      {changes === undefined ? null : <JsonChanges changes={changes} />}
      {changes !== undefined && changes.length === 0 ? <p class="note">The same JSON, written differently:</p> : null}
      <TextDiff before={before} after={after} label="answer against the baseline's" />
    </>
  );
}

function JsonChanges({ changes }: { readonly changes: readonly JsonChange[] }) {
  if (changes.length === 0) return null;
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
