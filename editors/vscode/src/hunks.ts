/** Where the hunks of an edit stand in the text that it makes. Knows nothing of VS Code. */

import type { Replacement } from './rebase';

/** Give the line at which each replacement begins in the new text; they must stand in order. */
export function starts(replacements: readonly Replacement[]): number[] {
  let moved = 0;
  return replacements.map(({ range, text }) => {
    const line = range.start.line + moved;
    moved += text.split(/\r\n|\r|\n/).length - 1 - (range.end.line - range.start.line);
    return line;
  });
}
