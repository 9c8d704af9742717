import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { TemplateError } from '../../templates/template-error.ts';
import { findNearest } from '../../text/did-you-mean.ts';
import type { Scope } from '../assertions/value-template.ts';
import { type Located, locate, type Problems } from '../documents/locate.ts';

/** A template that could not be rendered for a case. */
interface CaseFault {
  /** The name of what reads the variable, for messages: `prompt "v1"`. */
  readonly reader: string;
  /** The reader itself, to count by. */
  readonly key: object;
  /** Where the template fails. */
  readonly at: SourceLocation;
  readonly error: TemplateError;
  readonly caseId: string;
  readonly row: Located;
  readonly scope: Scope;
}

/** Ten thousand cases that fail in one template are one mistake; a few that do are a mistake each. */
export interface CaseFaults {
  readonly add: (fault: CaseFault) => void;
  /** Counts a case that the reader was tried on. */
  readonly tried: (key: object) => void;
  readonly flush: (problems: Problems) => void;
}

export function createCaseFaults(): CaseFaults {
  const groups = new Map<string, CaseFault[]>();
  const attempts = new WeakMap<object, { count: number }>();
  return {
    tried(key) {
      const known = attempts.get(key);
      if (known === undefined) attempts.set(key, { count: 1 });
      else known.count += 1;
    },
    add(fault) {
      const { at, error } = fault;
      const key = `${at.file}:${at.line}:${at.column}:${error.kind}:${error.message}`;
      const group = groups.get(key);
      // All errors of a group have the same message, and an error object is large.
      if (group?.[0] === undefined) groups.set(key, [fault]);
      else group.push({ ...fault, error: group[0].error });
    },
    flush(problems) {
      for (const group of groups.values()) {
        const [first] = group;
        if (first === undefined) continue;
        if (first.error.kind !== 'missing-variable') reportTemplate(first, group.length, problems);
        else if (group.length >= (attempts.get(first.key)?.count ?? 0)) reportMissingEverywhere(first, problems);
        else for (const fault of group) reportMissing(fault, problems);
      }
    },
  };
}

function reportTemplate({ at, error, caseId }: CaseFault, count: number, problems: Problems): void {
  problems.report({
    code: 'invalid-template',
    message: `${error.message}, in case "${caseId}"${count > 1 ? ` and ${count - 1} more` : ''}`,
    ...defined({ hint: error.hint }),
    at,
  });
}

function reportMissingEverywhere({ at, error, reader, scope }: CaseFault, problems: Problems): void {
  const variable = error.variable ?? '';
  problems.report({
    code: 'missing-variable',
    message: `${reader} reads the variable "${variable}", which no case supplies`,
    hint:
      variable === 'expected' && !reader.startsWith('prompt')
        ? 'add expected to the cases'
        : (nearestVariable(variable, scope) ??
          error.hint ??
          `add it to the cases' vars, or write {{ ${variable} | default: "…" }}`),
    at,
  });
}

function reportMissing({ at, error, reader, caseId, row, scope }: CaseFault, problems: Problems): void {
  const variable = error.variable ?? '';
  problems.report({
    code: 'missing-variable',
    message: `case "${caseId}" has no ${variable === 'expected' ? '"expected"' : `variable "${variable}"`}, which ${reader} reads (${at.file}:${at.line}:${at.column})`,
    hint:
      findRename(variable, scope) ??
      (variable === 'expected' ? 'add expected to the case' : "add it to the case's vars"),
    at: locate(row),
  });
}

function nearestVariable(variable: string, scope: Scope): string | undefined {
  const walked: string[] = [];
  let value: unknown = scope;
  for (const step of variable.split(/[.[\]]+/).filter((part) => part !== '')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, step)) {
      const nearest = findNearest(step, Object.keys(value));
      return nearest === undefined ? undefined : `did you mean "${[...walked, nearest].join('.')}"?`;
    }
    value = (value as Scope)[step];
    walked.push(step);
  }
  return undefined;
}

/** The place is the case, so its variable is what is to be written otherwise. */
function findRename(variable: string, scope: Scope): string | undefined {
  const nearest = findNearest(variable, Object.keys(scope));
  return nearest === undefined ? nearestVariable(variable, scope) : `rename "${nearest}" in its vars to "${variable}"`;
}
