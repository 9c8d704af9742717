/** The page of src/page, made by the build (scripts/page-plugin.mjs). */
declare module 'virtual:page' {
  /** A classic script that contains no closing tag. */
  export const script: string;
  export const style: string;
}
