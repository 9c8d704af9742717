/** A name that no other has, made of a label. */
export function nameOf(label: string, taken: Set<string>, otherwise: string): string {
  const short = label
    .replace(/^file:\/\//, '')
    .normalize('NFKD')
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  const base = short === '' ? otherwise : short;
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  taken.add(name);
  return name;
}
