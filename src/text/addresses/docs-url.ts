/** Where a page of the documentation is read: the package holds none. */
export function docsUrl(page: string): string {
  return `https://github.com/llmcheck/llmcheck/blob/main/docs/${page}`;
}
