import { defined } from '../../json/defined.ts';
import type { Criterion, LabelledAnswer } from '../../model/suite/suite.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { readRows } from '../cases/read-rows.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, type Located, locate, type Problems, withoutExcerpt } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { labelSchema } from '../schema/provider-schema.ts';
import type { CompiledCriterion } from './asked-models.ts';
import { placeOfError, RenderError } from './value-template.ts';

interface LabelsContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly mayLackLabels?: boolean;
}

/** Reads the labelled answers of every judge that the suite's checks ask. Each row belongs to one criterion. */
export async function readLabels(
  criteria: readonly CompiledCriterion[],
  { files, problems, mayLackLabels = false }: LabelsContext,
): Promise<readonly LabelledAnswer[]> {
  const labels: LabelledAnswer[] = [];
  for (const judge of new Set(criteria.map(({ criterion }) => criterion.judge))) {
    const path = judge.judging?.labels;
    if (path === undefined) continue;
    const found = await files.read(path);
    if ('fault' in found) {
      const { isMissing = false, ...fault } = found.fault;
      const hint = isMissing ? (fault.hint ?? 'llmcheck judge label SUITE writes it') : fault.hint;
      if (!(isMissing && mayLackLabels)) problems.report({ ...fault, ...defined({ hint, at: judge.at }) });
      continue;
    }
    const own = criteria.filter(({ criterion }) => criterion.judge === judge);
    const seen = new Set<string>();
    for (const [index, row] of readRows({ path, text: found.text }, files, problems).entries()) {
      const label = readLabel(row, index, own, problems);
      if (label === undefined) continue;
      if (seen.has(label.id)) {
        problems.report({
          code: 'duplicate-id',
          message: `two labelled answers have the id "${label.id}"`,
          at: locate(row),
        });
      }
      seen.add(label.id);
      labels.push(label);
    }
  }
  return labels;
}

function readLabel(
  row: Located,
  index: number,
  criteria: readonly CompiledCriterion[],
  problems: Problems,
): LabelledAnswer | undefined {
  const shaped = checkShape(
    labelSchema,
    { ...row, value: plainNumbers(row.value) },
    { label: 'a labelled answer', problems },
  );
  if (shaped === undefined) return undefined;
  const chosen = chooseCriterion(row, shaped.check, criteria, problems);
  const criterion = chosen?.criterion;
  const label = criterion === undefined ? undefined : parseLabel(row, shaped.label, criterion, problems);
  if (chosen === undefined || criterion === undefined || label === undefined) return undefined;
  const isPairwise = criterion.assertion === 'pairwise';
  if (isPairwise !== (shaped.other !== undefined)) {
    return problems.refuse(
      row,
      isPairwise
        ? 'a labelled comparison needs "other", the answer it is compared with'
        : `"other" is for pairwise, and this is a label of ${criterion.assertion}`,
    );
  }
  const vars = { ...defined({ question: shaped.question }), ...shaped.vars };
  const scope = shaped.expected === undefined ? vars : { ...vars, expected: shaped.expected };
  try {
    const check = chosen.compiled.instantiate(scope);
    if (check === undefined) return undefined;
    return {
      id: shaped.id === undefined ? `${index + 1}` : `${shaped.id}`,
      criterion,
      check,
      vars,
      answer: shaped.answer,
      ...defined({ other: shaped.other, drawn: shaped.drawn }),
      label,
      at: withoutExcerpt(locate(row)),
    };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const at = placeOfError(error.located, error.error);
    problems.report({
      code: 'missing-variable',
      message: `the labelled answer can't be judged by the check at ${at.file}:${at.line}:${at.column}: ${error.error.message}`,
      hint: 'add it to vars of the row, or expected',
      at: locate(row),
    });
    return undefined;
  }
}

function chooseCriterion(
  row: Located,
  wanted: string | undefined,
  criteria: readonly CompiledCriterion[],
  problems: Problems,
): CompiledCriterion | undefined {
  const named = wanted === undefined ? criteria : criteria.filter(({ criterion }) => criterion.name === wanted);
  const matching = named.length > 0 ? named : criteria.filter(({ criterion }) => criterion.assertion === wanted);
  const [only, second] = matching;
  if (only !== undefined && second === undefined) return only;
  const names = criteria.map(({ criterion }) => criterion.name ?? criterion.assertion);
  problems.report({
    code: only === undefined ? 'unknown-id' : 'invalid-value',
    message:
      only === undefined
        ? `no check of this judge is named "${wanted ?? ''}"`
        : `the label does not say which of ${matching.length} checks of the judge it belongs to`,
    hint:
      only === undefined
        ? (didYouMean(wanted ?? '', names) ?? `known: ${names.join(', ')}`)
        : 'give each check a name of its own, and the row check: NAME',
    at: locate(wanted === undefined ? row : childOf(row, 'check')),
  });
  return undefined;
}

/** The label as `pass`, `fail` or `tie`; a win is a pass. */
function parseLabel(
  row: Located,
  written: boolean | string,
  { assertion }: Criterion,
  problems: Problems,
): LabelledAnswer['label'] | undefined {
  const known: Readonly<Record<string, LabelledAnswer['label']>> =
    assertion === 'pairwise'
      ? { win: 'pass', loss: 'fail', tie: 'tie' }
      : { true: 'pass', false: 'fail', pass: 'pass', fail: 'fail' };
  const label = known[String(written)];
  if (label === undefined) {
    problems.refuse(
      childOf(row, 'label'),
      `a label of ${assertion} is ${Object.keys(known).slice(-3).join(', ')}, not ${String(written)}`,
    );
  }
  return label;
}
