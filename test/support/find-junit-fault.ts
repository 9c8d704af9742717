import { findXmlFault } from './find-xml-fault.ts';

/** Attributes by element, required ones first; what the JUnit schema of CI systems knows. */
const attributes: Readonly<
  Record<string, { readonly required: readonly string[]; readonly others: readonly string[] }>
> = {
  testsuites: { required: [], others: ['name', 'time', 'tests', 'failures', 'errors'] },
  testsuite: {
    required: ['name', 'tests', 'failures', 'errors'],
    others: ['time', 'skipped', 'timestamp', 'hostname', 'id', 'package', 'file', 'url', 'version'],
  },
  properties: { required: [], others: [] },
  property: { required: ['name', 'value'], others: [] },
  testcase: { required: ['name'], others: ['time', 'classname', 'group'] },
  failure: { required: [], others: ['type', 'message'] },
  error: { required: [], others: ['type', 'message'] },
  skipped: { required: [], others: ['type', 'message'] },
};

const parents: Readonly<Record<string, string | undefined>> = {
  testsuites: undefined,
  testsuite: 'testsuites',
  properties: 'testsuite',
  property: 'properties',
  testcase: 'testsuite',
  failure: 'testcase',
  error: 'testcase',
  skipped: 'testcase',
};

/** What of a JUnit report its schema refuses; undefined where nothing is. */
export function findJunitFault(text: string): string | undefined {
  const fault = findXmlFault(text);
  if (fault !== undefined) return fault;
  const open: string[] = [];
  for (const [, closing, name = '', rest = '', empty] of text.matchAll(
    /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g,
  )) {
    if (closing !== '') {
      open.pop();
      continue;
    }
    const known = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (known === undefined) return `an unknown element ${name}`;
    if (open.at(-1) !== parents[name] && name !== 'testcase') return `${name} stands in ${open.at(-1) ?? 'nothing'}`;
    const found = [...rest.matchAll(/ ([a-z]+)="([^"]*)"/g)];
    const names = found.map(([, attribute = '']) => attribute);
    const stranger = names.find((attribute) => ![...known.required, ...known.others].includes(attribute));
    if (stranger !== undefined) return `${name} has no attribute ${stranger}`;
    const missing = known.required.find((attribute) => !names.includes(attribute));
    if (missing !== undefined) return `${name} has no ${missing}`;
    const time = found.find(([, attribute]) => attribute === 'time')?.[2] ?? '0.000';
    if (!/^\d+\.\d{3}$/.test(time)) return `a time of ${time}`;
    if (empty === '') open.push(name);
  }
  return undefined;
}
