import type { JsonValue } from '../json/json.ts';
import { diffJsonTexts, type JsonChange } from './diff-json.ts';
import { SafeText } from './safe-text.tsx';
import { TextDiff } from './text-diff.tsx';

/** An answer against the baseline's: by members where both are JSON, by words else. */
export function AnswerDiff({ before, after }: { readonly before: string; readonly after: string }) {
  if (before === after) return <p class="note">The very answer that the baseline holds.</p>;
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
    <div class="scroll" tabIndex={0} role="region" aria-label="Difference of the JSON, by members">
      <table class="json-changes">
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Baseline</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
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
                  <span class="muted">gone</span>
                ) : (
                  <ins>
                    <SafeText text={show(after)} />
                  </ins>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function show(value: JsonValue): string {
  return JSON.stringify(value);
}
