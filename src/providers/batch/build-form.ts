export interface FormFile {
  readonly name: string;
  readonly fileName: string;
  readonly text: string;
}

/** A form with one file as `multipart/form-data` (RFC 7578). The boundary must occur in no value. */
export function buildForm(
  boundary: string,
  fields: Readonly<Record<string, string>>,
  file: FormFile,
): { readonly contentType: string; readonly body: string } {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${file.name}"; filename="${file.fileName}"\r\ncontent-type: application/jsonl\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: `${parts.join('')}${head}${file.text}\r\n--${boundary}--\r\n`,
  };
}
