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
export function showBlank(text: string): string {
  return text.trim() === '' ? text.replaceAll(' ', '·').replaceAll('\n', '↵\n') : text;
}

/** The JSON members that differ; empty where a side is no JSON. */
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
