import { compileTemplate } from '../templates/template.ts';

/** A variable that the test does not have is empty there. An empty one has no default. */
export function render(text: string, vars: Readonly<Record<string, unknown>>): string {
  const given = text.replaceAll(/\{\{\s*([\w-]+)\s*\|\s*default:[^|{}]*\}\}/g, (whole, name: string) =>
    Object.hasOwn(vars, name) ? `{{ ${name} }}` : whole,
  );
  const template = compileTemplate(given);
  const roots = template.variables.map((path) => [/^[^.[]*/.exec(path)?.[0] ?? path, ''] as const);
  return template.render({ ...Object.fromEntries(roots), ...vars });
}
