import type { PageClasses, PageMatrix, PageVariant } from '../../model/page.ts';
import { nameOf, SafeLine } from '../safe-text.tsx';
import { Table } from '../table.tsx';

interface ClassDetailProps {
  readonly variant: PageVariant;
  readonly classes: PageClasses;
}

/** Macro F1, moved answers, the scores of each class and the confusion matrix of a variant. */
export function ClassDetail({ variant, classes }: ClassDetailProps) {
  const { macroF1, moved, scores, matrix, others } = classes;
  const name = nameOf(variant);
  return (
    <article class="comparison">
      <h3>
        <SafeLine text={name} />
        <span class="where">by class</span>
      </h3>
      <dl class="metrics">
        <div>
          <dt>macro F1</dt>
          <dd>{macroF1}</dd>
        </div>
      </dl>
      {moved.length === 0 ? null : (
        <ul>
          {moved.map(({ truth, found, change, entered }) => (
            <li key={`${truth} ${found}`}>
              <SafeLine text={truth} /> found as <ClassName name={found} /> {change}
              {entered.length === 0 ? null : (
                <>
                  : <SafeLine text={entered.join(', ')} />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      <Table
        label={`Classes of ${name}`}
        headings={['Class', { number: 'Cases' }, 'Recall', 'Precision', 'F1']}
        kind="classes"
      >
        {scores.slice(0, maxScores).map((score) => (
          <tr key={score.class}>
            <th scope="row">
              <SafeLine text={score.class} />
            </th>
            <td class="number">{score.cases}</td>
            <td>{score.recall}</td>
            <td>{score.precision}</td>
            <td>{score.f1}</td>
          </tr>
        ))}
      </Table>
      {matrix === undefined ? null : <ConfusionMatrix name={name} matrix={matrix} />}
      {others.length === 0 ? null : (
        <p class="note">
          Answers of none of the classes:{' '}
          {others.map(({ found, answers }, place) => (
            <span key={place}>
              {place === 0 ? '' : ', '}
              {found === undefined ? 'no class at all' : <SafeLine text={found} />} × {answers}
            </span>
          ))}
        </p>
      )}
    </article>
  );
}

function ConfusionMatrix({ name, matrix }: { readonly name: string; readonly matrix: PageMatrix }) {
  const { names, rows } = matrix;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Confusion matrix of ${name}`}>
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">class ↓ found →</th>
            {names.map((found) => (
              <th key={found} scope="col" class="number">
                <SafeLine text={found} />
              </th>
            ))}
            <th scope="col" class="number">
              none of them
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ truth, counts }, row) => (
            <tr key={truth}>
              <th scope="row">
                <SafeLine text={truth} />
              </th>
              {counts.map((count, column) => (
                <td key={column} class={`number ${kindOf(count, row === column)}`}>
                  {count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function kindOf(count: string, isRight: boolean): string {
  if (count === '0') return 'muted';
  return isRight ? '' : 'bad';
}

function ClassName({ name }: { readonly name: string | undefined }) {
  return name === undefined ? <>none of them</> : <SafeLine text={name} />;
}

const maxScores = 50;
