/** The page of src/page, made by the build (scripts/page-plugin.mjs). */
declare module 'virtual:page' {
  /** One classic script without a closing tag in it. */
  export const script: string;
  export const style: string;
}
