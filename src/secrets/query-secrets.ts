const secretName = /(?:^|[-_.])(?:key|apikey|token|secret|password|passwd|sig|signature|auth|code)$/i;

/** The query parameters of a URL that can only be credentials, by their names; none for a text that is no URL. */
export function findQuerySecrets(url: string): readonly { readonly name: string; readonly value: string }[] {
  if (!URL.canParse(url)) return [];
  const found: { name: string; value: string }[] = [];
  for (const [name, value] of new URL(url).searchParams) {
    if (secretName.test(name) && value !== '') found.push({ name, value });
  }
  return found;
}
