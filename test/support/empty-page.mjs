// Stands in for `virtual:page` where a bundle needs no page.
export const script = '';
export const style = '';
